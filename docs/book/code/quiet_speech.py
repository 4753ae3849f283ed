"""How much speech the detector finds when a recording becomes quieter."""

import numpy as np
import soundfile

from streamer.vad.silero_network import SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import probabilities

(weights,) = require("silero-vad").glob("*.onnx")
network = SileroNetwork(weights)
samples, _ = soundfile.read(require("moonshine-tiny-en") / "beckett.wav", dtype="float32")
loud = np.array(probabilities(samples, network)) >= 0.5

print("level, dB  found without gain  with gain")
for attenuation_db in (0, 20, 30, 40):
    quiet = samples * np.float32(10 ** (-attenuation_db / 20))
    quiet = np.round(quiet * 32_768).astype(np.float32) / 32_768  # as 16 bits would hold it
    shares = [
        np.mean(np.array(probabilities(quiet, network, gain=gain))[loud] >= 0.5)
        for gain in (False, True)
    ]
    print(f"{-attenuation_db:9}  {shares[0]:18.0%}  {shares[1]:9.0%}")
