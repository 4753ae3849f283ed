"""Speech probabilities in, segments out: where speech begins, ends, and must be cut.

Pure and clock-free. The segmenter is told the probability of speech of one window after another
and answers with events in samples from the start of the stream. Two thresholds (hysteresis) keep
it from flickering, as in the reference implementation of Silero VAD: a window starts speech at
`threshold`, and goes on being speech down to `threshold - HYSTERESIS`.

        threshold ┄┄┄┄┄┄┄┄┄┄╭──╮┄┄┄╭─────╮┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
        probability ________│  ╰───╯     ╰__________________
        speech              │←── speech ──→│← min_silence →│
        segment        │←prefix→│               │←suffix→│  final
        events                    active                   inactive, segment
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

HYSTERESIS = 0.15
MIN_EXIT_THRESHOLD = 0.01

CUT_SEARCH_FRACTION = 1 / 3
"""A forced cut falls in the last third of the longest allowed segment."""

CUT_FRAME_MS = 30
CUT_HOP_MS = 10


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """Thresholds as probabilities; durations in samples."""

    threshold: float
    min_silence: int
    min_speech: int
    prefix_padding: int
    suffix_padding: int
    max_segment: int
    sample_rate: int
    interim_interval: int | None = None
    """At least this long between interims; None for no interims."""
    interim_growth: float = 0.0
    """And at least this part of the segment's length."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at sample `at`."""

    at: int


@dataclass(frozen=True, slots=True)
class InterimDue:
    """The segment has grown to [start, end)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """Speech ended at sample `at`; the segment to infer is [start, end)."""

    at: int
    start: int
    end: int
    flushed: bool = False


SegmenterEvent = SpeechStarted | InterimDue | SegmentEnded


class Samples(Protocol):
    """The audio behind the windows, addressed in samples from the start of the stream."""

    @property
    def end(self) -> int:
        """One past the last sample held."""

    def view(self, start: int, end: int) -> npt.NDArray[np.float32]:
        """The samples [start, end)."""


@dataclass(slots=True)
class _Speech:
    """A run of speech, confirmed (a segment) or not yet (a candidate)."""

    first: int
    """First sample of its first speech window."""
    last: int
    """One past the last sample of its last speech window."""
    voiced: int
    """Samples in speech windows."""
    start: int = 0
    """First sample of the segment, padding included; known once confirmed."""
    confirmed: bool = False
    next_interim: int = 0


class Segmenter:
    """One channel's segmentation.

    Args:
        settings: Thresholds and durations.
        window: Samples in a window of the VAD.
        samples: The channel's audio; it must hold everything from `keep_from` on.
    """

    def __init__(self, settings: SegmenterSettings, window: int, samples: Samples) -> None:
        self._settings = settings
        self._exit_threshold = max(settings.threshold - HYSTERESIS, MIN_EXIT_THRESHOLD)
        self._window = window
        self._samples = samples
        self._position = 0
        self._floor = 0
        self._speech: _Speech | None = None
        self._resume_until = 0

    @property
    def in_speech(self) -> bool:
        """Whether a segment is open: `SpeechStarted` was given and `SegmentEnded` was not."""
        return self._speech is not None and self._speech.confirmed

    @property
    def keep_from(self) -> int:
        """The first sample that may still be asked for."""
        if self._speech is None and self._position < self._resume_until:
            return self._floor
        if self._speech is None:
            return max(self._floor, self._position - self._settings.prefix_padding)
        if self._speech.confirmed:
            return self._speech.start
        return max(self._floor, self._speech.first - self._settings.prefix_padding)

    def advance(self, probability: float) -> Iterator[SegmenterEvent]:
        """Classify the next window. The iterator must be exhausted before the next call."""
        first = self._position
        self._position = min(first + self._window, self._samples.end)
        speech = self._speech
        in_gap = speech is not None and speech.last < first
        continues = speech is not None and not in_gap
        if probability >= (self._exit_threshold if continues else self._settings.threshold):
            yield from self._hear_speech(first)
        elif speech is not None:
            yield from self._hear_silence(speech)
        if self._speech is not None and self._speech.confirmed:
            yield from self._watch_length(self._speech)

    def flush(self) -> Iterator[SegmenterEvent]:
        """End the open segment now, with every sample heard so far."""
        if self._speech is not None and self._speech.confirmed:
            yield self._end_now(self._speech, flushed=True)

    def finish(self) -> Iterator[SegmenterEvent]:
        """End the stream: what is open ends with the last sample."""
        if self._speech is not None and self._speech.confirmed:
            yield self._end_now(self._speech, flushed=False)
        self._speech = None

    def _hear_speech(self, first: int) -> Iterator[SegmenterEvent]:
        if self._speech is None:
            self._speech = _Speech(first=max(first, self._floor), last=first, voiced=0)
        speech = self._speech
        speech.voiced += self._position - first
        speech.last = self._position
        resumed = speech.first < self._resume_until
        if not speech.confirmed and (resumed or speech.voiced >= self._settings.min_speech):
            padded = self._floor if resumed else speech.first - self._settings.prefix_padding
            self._confirm(speech, max(padded, self._floor))
            yield SpeechStarted(speech.first)
        interval = self._settings.interim_interval
        if speech.confirmed and interval is not None and self._position >= speech.next_interim:
            yield InterimDue(speech.start, self._position)
            growth = int(self._settings.interim_growth * (self._position - speech.start))
            speech.next_interim = self._position + max(interval, growth)

    def _hear_silence(self, speech: _Speech) -> Iterator[SegmenterEvent]:
        silence = self._position - speech.last
        if not speech.confirmed:
            if silence >= self._settings.min_speech:
                self._speech = None
        elif silence >= self._settings.min_silence:
            yield self._end(speech, at=speech.last, end=self._padded_end(speech))

    def _watch_length(self, speech: _Speech) -> Iterator[SegmenterEvent]:
        if self._position - speech.start < self._settings.max_segment:
            return
        limit = speech.start + self._settings.max_segment
        cut = self._quietest(limit)
        if cut >= speech.last:
            # The quietest point is in a pause that may turn out to be the end of speech. If it
            # does not, what follows must join on without a missing sample.
            yield self._end(speech, at=speech.last, end=min(self._padded_end(speech), limit))
            self._resume_until = speech.last + self._settings.min_silence
            return
        yield self._end(speech, at=cut, end=cut)
        self._speech = _Speech(first=cut, last=speech.last, voiced=speech.last - cut)
        self._confirm(self._speech, cut)
        yield SpeechStarted(cut)

    def _confirm(self, speech: _Speech, start: int) -> None:
        speech.confirmed = True
        speech.start = start
        self._resume_until = 0
        if self._settings.interim_interval is not None:
            speech.next_interim = start + self._settings.interim_interval

    def _end_now(self, speech: _Speech, *, flushed: bool) -> SegmentEnded:
        if self._position > speech.last:
            return self._end(speech, speech.last, self._padded_end(speech), flushed=flushed)
        end = self._samples.end
        return self._end(speech, end, end, flushed=flushed)

    def _end(self, speech: _Speech, at: int, end: int, *, flushed: bool = False) -> SegmentEnded:
        self._speech = None
        self._floor = end
        return SegmentEnded(at, speech.start, end, flushed)

    def _padded_end(self, speech: _Speech) -> int:
        return min(speech.last + self._settings.suffix_padding, self._position)

    def _quietest(self, limit: int) -> int:
        """The middle of the quietest `CUT_FRAME_MS` in the last part before `limit`."""
        earliest = limit - int(self._settings.max_segment * CUT_SEARCH_FRACTION)
        frame = self._settings.sample_rate * CUT_FRAME_MS // 1000
        hop = self._settings.sample_rate * CUT_HOP_MS // 1000
        squared = np.square(self._samples.view(earliest, limit), dtype=np.float64)
        energy = np.convolve(squared, np.ones(frame), "valid")[::hop]
        return earliest + int(energy.argmin()) * hop + frame // 2
