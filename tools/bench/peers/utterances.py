"""What is played: utterances with silence between them, of which the end of speech is known."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from streamer.onnx.graph import Floats
from streamer.vad.silero_network import SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import probabilities
from tools.bench.reference import ReferenceRecording, read

LONGEST_S = 12.0
"""Seconds; a recording with more speech is cut at its longest pause, and so are its parts."""

EDGE_S = 2.0
"""Seconds of each end of a piece in which it is not cut."""

SHORTEST_PAUSE_S = 0.2
"""Seconds of silence at which a recording may be cut."""

LEAD_S, TAIL_S = 0.25, 0.1
"""Seconds of the recording that are kept before the first speech and behind the last."""

GAP_S = 2.0
"""Seconds of faint noise behind each utterance."""

NOISE = 1e-4
"""Standard deviation of that noise, -80 dB: no microphone gives zeros."""

SPEECH = 0.5
"""Probability from which a window of Silero is speech."""


@dataclass(frozen=True)
class Utterance:
    """Speech of a recording.

    Attributes:
        pcm: 16-bit samples at 16 kHz.
        speech_end_s: Seconds from the beginning of `pcm` to the end of its last word.
    """

    pcm: bytes
    speech_end_s: float

    @property
    def duration_s(self) -> float:
        """Seconds of `pcm`."""
        return len(self.pcm) / 2 / SAMPLE_RATE


@dataclass(frozen=True)
class Reading:
    """The utterances of one recording in their order, and its words."""

    transcript: str
    utterances: tuple[Utterance, ...]


def readings(recordings: Sequence[ReferenceRecording]) -> list[Reading]:
    """Each recording as utterances; those in which Silero finds no speech are left out."""
    network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
    made = []
    for recording in recordings:
        audio, rate = read(recording.path, 0)
        samples = soxr.resample(audio, rate, SAMPLE_RATE)
        if found := utterances(samples, probabilities(samples, network)):
            made.append(Reading(recording.transcript, tuple(found)))
    return made


def utterances(samples: Floats, speech: Sequence[float]) -> list[Utterance]:
    """The utterances in float32 [n] at 16 kHz.

    Args:
        samples: One channel.
        speech: The probability of speech of each window of it.
    """
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2")
    made = []
    for first, last in pieces([probability >= SPEECH for probability in speech]):
        begin = max(0, first * WINDOW - round(LEAD_S * SAMPLE_RATE))
        spoken = min(len(pcm), last * WINDOW)
        end = min(len(pcm), spoken + round(TAIL_S * SAMPLE_RATE))
        made.append(Utterance(pcm[begin:end].tobytes(), (spoken - begin) / SAMPLE_RATE))
    return made


def pieces(speech: Sequence[bool]) -> list[tuple[int, int]]:
    """First window and end of each utterance, from whether each window is speech."""
    spoken = [index for index, is_speech in enumerate(speech) if is_speech]
    return list(_cut(speech, spoken[0], spoken[-1] + 1)) if spoken else []


def _cut(speech: Sequence[bool], first: int, end: int) -> Iterator[tuple[int, int]]:
    windows_a_second = SAMPLE_RATE / WINDOW
    edge = round(EDGE_S * windows_a_second)
    pauses = [
        (last - begin, begin, last)
        for begin, last in _silences(speech, first, end)
        if begin >= first + edge and last <= end - edge
    ]
    longest = max(pauses, default=(0, 0, 0))
    too_long = end - first > LONGEST_S * windows_a_second
    if too_long and longest[0] >= SHORTEST_PAUSE_S * windows_a_second:
        _, begin, last = longest
        yield from _cut(speech, first, begin)
        yield from _cut(speech, last, end)
    else:
        yield first, end


def _silences(speech: Sequence[bool], first: int, end: int) -> Iterator[tuple[int, int]]:
    for is_speech, windows in itertools.groupby(range(first, end), lambda index: speech[index]):
        if not is_speech:
            found = list(windows)
            yield found[0], found[-1] + 1


def gap() -> bytes:
    """What is between two utterances: the same noise every time."""
    noise = np.random.default_rng(0).normal(0, NOISE, round(GAP_S * SAMPLE_RATE))
    return (noise * 32767).astype("<i2").tobytes()


@dataclass(frozen=True)
class Playlist:
    """What one stream plays, and the words that a perfect transcript of it has."""

    utterances: tuple[Utterance, ...]
    transcript: str

    @property
    def begins_s(self) -> list[float]:
        """Second at which each utterance begins."""
        lengths = (each.duration_s + GAP_S for each in self.utterances[:-1])
        return list(itertools.accumulate(lengths, initial=0.0)) if self.utterances else []

    @property
    def duration_s(self) -> float:
        """Seconds of all utterances and the gaps behind them."""
        return sum(each.duration_s + GAP_S for each in self.utterances)


def playlist(every: Sequence[Reading], first: int, seconds: float) -> Playlist:
    """Whole recordings in their order, round and round, until they last for some seconds.

    Args:
        every: Those to choose from.
        first: Index of the first one.
        seconds: That the playlist lasts at least.
    """
    chosen: list[Reading] = []
    made = Playlist((), "")
    while made.duration_s < seconds:
        chosen.append(every[(first + len(chosen)) % len(every)])
        made = Playlist(
            tuple(itertools.chain.from_iterable(each.utterances for each in chosen)),
            " ".join(each.transcript for each in chosen),
        )
    return made
