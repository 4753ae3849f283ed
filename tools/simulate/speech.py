"""What a speaker says, as the server's detector and segmenter find it: segments and pauses."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from streamer.audio.buffer import SampleBuffer
from streamer.config.segmentation import VadConfig
from streamer.onnx.graph import Floats
from streamer.vad.factory import SILERO_FOLDER
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import SegmentEnded, SpeechPaused, SpeechResumed
from streamer.vad.silero_network import SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import probabilities, settings_of

WINDOW_S = WINDOW / SAMPLE_RATE


@dataclass(frozen=True)
class Pause:
    """A pause in speech that does not end it, from its first silence until speech goes on."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """One segment. Times are in seconds, from the beginning of the recordings.

    Attributes:
        start_s: Of the segment, padding included.
        end_s: Of its speech.
        pauses: Within it, those that are longer than the suffix padding.
    """

    start_s: float
    end_s: float
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True)
class SpeechLoop:
    """Recordings that are played round and round.

    Attributes:
        seconds: Of one round.
        utterances: Of one round, in order.
        min_silence_s: The silence that ends a segment, in whole windows of the detector.
        suffix_s: The part of this silence that belongs to the segment.
        min_speech_s: Less is no segment.
    """

    seconds: float
    utterances: tuple[Utterance, ...]
    min_silence_s: float
    suffix_s: float
    min_speech_s: float

    @property
    def speech_share(self) -> float:
        """The part of the audio that is in segments."""
        inferred_s = sum(each.end_s + self.suffix_s - each.start_s for each in self.utterances)
        return inferred_s / self.seconds

    def from_(self, offset_s: float) -> Iterator[Utterance]:
        """The utterances after a moment, endlessly, with times from it on.

        Of one that has begun before it, the rest.
        """
        turn = 0
        while True:
            for each in self.utterances:
                moved = _moved(each, turn * self.seconds - offset_s)
                if moved.start_s >= 0:
                    yield moved
                elif moved.end_s >= self.min_speech_s:
                    yield Utterance(0.0, moved.end_s, tuple(_after_begin(moved.pauses)))
            turn += 1

    def thinned(self, share: float) -> "SpeechLoop":
        """The same utterances with longer silences between them, so that they are `share`."""
        inferred_s = self.speech_share * self.seconds
        more_s = (inferred_s / share - self.seconds) / len(self.utterances)
        if more_s < 0:
            raise ValueError(f"the speech is {self.speech_share:.2f} of the audio, below {share}")
        moved = (_moved(each, number * more_s) for number, each in enumerate(self.utterances))
        return replace(self, seconds=inferred_s / share, utterances=tuple(moved))


def _moved(utterance: Utterance, by_s: float) -> Utterance:
    pauses = tuple(Pause(p.start_s + by_s, p.end_s + by_s) for p in utterance.pauses)
    return Utterance(utterance.start_s + by_s, utterance.end_s + by_s, pauses)


def _after_begin(pauses: tuple[Pause, ...]) -> Iterator[Pause]:
    return (pause for pause in pauses if pause.start_s >= 0)


def found_in(samples: Floats, config: VadConfig) -> SpeechLoop:
    """The utterances of float32 [n] at 16 kHz, played round and round."""
    (weights,) = require(SILERO_FOLDER).glob("*.onnx")
    return loop_of(probabilities(samples, SileroNetwork(weights)), config)


def loop_of(classified: list[float], config: VadConfig) -> SpeechLoop:
    """The same, of the probabilities of speech in its windows.

    A segment that goes on from the end of the recordings to their beginning belongs to the round
    in which it ends.
    """
    settings = settings_of(config)
    buffer = SampleBuffer()
    # Longer than any pause: each is reported when its padding is over.
    segmenter = Segmenter(settings, WINDOW, buffer, lead=lambda length: settings.max_segment)
    whole_s = len(classified) * WINDOW_S
    utterances: list[Utterance] = []
    pauses: list[Pause] = []
    silence = np.zeros(WINDOW, np.float32)
    for number, probability in enumerate(classified * 3):
        buffer.append(silence)
        now_s = (number + 1) * WINDOW_S
        for event in segmenter.advance(probability):
            match event:
                case SpeechPaused(_, end):
                    pauses.append(Pause((end - settings.suffix_padding) / SAMPLE_RATE, now_s))
                case SpeechResumed():
                    pauses[-1] = replace(pauses[-1], end_s=now_s)
                case SegmentEnded(at, start, _, _, cut):
                    end_s = at / SAMPLE_RATE
                    within = tuple(each for each in pauses if each.end_s <= end_s)
                    pauses = [] if not cut else [p for p in pauses if p.end_s > end_s]
                    utterances.append(Utterance(start / SAMPLE_RATE, end_s, within))
                case _:
                    pass
    in_second = (each for each in utterances if whole_s <= each.end_s < 2 * whole_s)
    windows = -(-settings.min_silence // WINDOW)
    return SpeechLoop(
        whole_s,
        tuple(_moved(each, -whole_s) for each in in_second),
        windows * WINDOW_S,
        settings.suffix_padding / SAMPLE_RATE,
        settings.min_speech / SAMPLE_RATE,
    )
