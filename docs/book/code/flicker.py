"""How often speech begins in one recording: for each detector, rule and noise."""

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from streamer.vad.silero_network import SAMPLE_RATE, SileroNetwork
from streamer.vad.webrtc import SMOOTHED_WINDOWS, WEBRTC_WINDOW
from streamer.weights.manifest import require
from tools.bench.curve import probabilities, tracks

(weights,) = require("silero-vad").glob("*.onnx")
network = SileroNetwork(weights)
(clean,) = tracks(require("moonshine-tiny-en") / "two_cities.wav", network)
noise = np.random.default_rng(0).standard_normal(len(clean.samples)).astype(np.float32)
speech_level = np.sqrt(np.mean(np.square(clean.samples)))


def webrtc(samples: NDArray[np.float32]) -> list[float]:
    """The share of yes among the last five decisions, after each window of 20 ms."""
    detector = webrtcvad.Vad(3)
    pcm = (samples.clip(-1, 1) * 32_767).astype("<i2").tobytes()
    size = 2 * WEBRTC_WINDOW
    said = [
        detector.is_speech(pcm[at : at + size], SAMPLE_RATE)
        for at in range(0, len(pcm) - size + 1, size)
    ]
    return [
        sum(said[max(0, at + 1 - SMOOTHED_WINDOWS) : at + 1]) / SMOOTHED_WINDOWS
        for at in range(len(said))
    ]


def beginnings(found: list[float], start: float, stay: float) -> int:
    """How often speech begins: at `start` or more, as long as it is at `stay` or more."""
    count, speech = 0, False
    for probability in found:
        before, speech = speech, probability >= (stay if speech else start)
        count += speech and not before
    return count


print("detector  noise   one threshold  two thresholds")
for noise_db in (None, -10, 0):
    level = 0 if noise_db is None else speech_level * 10 ** (noise_db / 20)
    samples = clean.samples + np.float32(level) * noise
    name = "none" if noise_db is None else f"{noise_db} dB"
    for detector, found in (
        ("webrtc", webrtc(samples)),
        ("silero", probabilities(samples, network)),
    ):
        one, two = beginnings(found, 0.5, 0.5), beginnings(found, 0.5, 0.35)
        print(f"{detector:8}  {name:6}  {one:13}  {two:14}")
