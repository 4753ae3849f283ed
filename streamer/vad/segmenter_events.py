"""What the segmenter reports about speech; all times in samples from the start of the stream."""

from dataclasses import dataclass


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
class SpeechPaused:
    """If the silence goes on, the segment will be [start, end)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The silence did not go on: there is speech from sample `at`."""

    at: int


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """Speech ended at sample `at`; the segment to infer is [start, end)."""

    at: int
    start: int
    end: int
    flushed: bool = False
    cut: bool = False
    """Whether its length ended it: another segment begins at `end`."""


@dataclass(frozen=True, slots=True)
class SegmentDiscarded:
    """A segment ended without being inferred: [start, end), with speech up to sample `at`."""

    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpeechDropped:
    """Speech in [start, end) was too short; the padding of the next segment may hold some of it."""

    start: int
    end: int


SegmenterEvent = (
    SpeechStarted
    | InterimDue
    | SpeechPaused
    | SpeechResumed
    | SegmentEnded
    | SegmentDiscarded
    | SpeechDropped
)
