"""The longer a pause has lasted, the less often speech resumes."""

from streamer.vad.silero_network import SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import tracks

(weights,) = require("silero-vad").glob("*.onnx")
network = SileroNetwork(weights)
window_ms = 1_000 * WINDOW // SAMPLE_RATE
pauses_ms: list[int] = []  # in which speech resumed, or that lasted for 600 ms
for name in ("beckett", "two_cities"):
    (track,) = tracks(require("moonshine-tiny-en") / f"{name}.wav", network)
    silent_ms, spoken = 0, False
    for probability in [*track.probabilities, 1.0]:
        if probability >= 0.35:
            if spoken and silent_ms:
                pauses_ms.append(silent_ms)
            silent_ms, spoken = 0, True
        else:
            silent_ms += window_ms

print("silence so far, ms  pauses  speech resumes before 600 ms")
for so_far_ms in (32, 128, 256, 352, 448, 512):
    reached = [pause for pause in pauses_ms if pause >= so_far_ms]
    resumed = [pause for pause in reached if pause < 600]
    print(f"{so_far_ms:18}  {len(reached):6}  {len(resumed) / len(reached):28.0%}")
