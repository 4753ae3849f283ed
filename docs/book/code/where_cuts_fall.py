"""How many ends of equal chunks fall into speech, and how many ends of segments do."""

from streamer.config.segmentation import VadConfig
from streamer.vad.silero_network import SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import cuts, settings_of, tracks

(weights,) = require("silero-vad").glob("*.onnx")
network = SileroNetwork(weights)
(track,) = tracks(require("moonshine-tiny-en") / "two_cities.wav", network)
length = len(track.samples)


def in_speech(sample: int) -> bool:
    """Whether the detector finds speech in the window of a sample."""
    return track.probabilities[sample // WINDOW] >= 0.5


found = list(cuts(track, settings_of(VadConfig())))
ends_of_segments = [cut.audio[1] for cut in found]
speech = sum(end - start for start, end in (cut.audio for cut in found))
print(f"recording: {length / SAMPLE_RATE:.1f} s, of it in segments: {speech / length:.0%}")
for seconds in (1, 2, 5):
    ends = range(seconds * SAMPLE_RATE, length, seconds * SAMPLE_RATE)
    print(f"chunks of {seconds} s: {len(ends)} cuts, {sum(map(in_speech, ends))} in speech")
print(f"segments: {len(ends_of_segments)} ends, {sum(map(in_speech, ends_of_segments))} in speech")
