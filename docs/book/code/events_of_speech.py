"""The events of a segmenter on a recording of ten seconds."""

from streamer.audio.buffer import SampleBuffer
from streamer.config.segmentation import VadConfig
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import SegmentEnded, SpeechPaused, SpeechResumed, SpeechStarted
from streamer.vad.silero_network import SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import settings_of, tracks

(weights,) = require("silero-vad").glob("*.onnx")
(track,) = tracks(require("moonshine-tiny-en") / "beckett.wav", SileroNetwork(weights))
audio = SampleBuffer()
audio.append(track.samples)
segmenter = Segmenter(settings_of(VadConfig()), WINDOW, audio)


def s(sample: int) -> str:
    """Seconds."""
    return f"{sample / SAMPLE_RATE:.2f}"


for number, probability in enumerate(track.probabilities, 1):
    for event in segmenter.advance(probability):
        match event:
            case SpeechStarted(at):
                text = f"speech began at {s(at)}"
            case SpeechPaused(start, end):
                text = f"a pause: perhaps {s(start)} to {s(end)}"
            case SpeechResumed():
                text = "speech resumed"
            case SegmentEnded(at, start, end):
                text = f"speech ended at {s(at)}; segment {s(start)} to {s(end)}"
            case _:
                text = type(event).__name__
        print(f"{s(number * WINDOW):>5} s  {text}")
