"""A result that a channel owes its client."""

from dataclasses import dataclass

from streamer.inference.job import NO_AUDIO, Audio
from streamer.inference.submission import Submission
from streamer.observe.timeline import Timeline


@dataclass(slots=True, eq=False)
class Owed:
    """The result of a segment, final or interim, in seconds from the start of the stream."""

    audio: Audio
    start_time: float
    end_time: float
    final: bool
    timeline: Timeline
    flushed: bool = False
    dropped: bool = False
    """Nobody wants it any more."""
    submission: Submission | None = None
    """None until it is in the pool."""

    def submitted(self, submission: Submission) -> None:
        """It is in the pool, which holds the audio for as long as it needs it."""
        self.submission = submission
        self.audio = NO_AUDIO

    def drop(self) -> bool:
        """It is not needed any more; returns whether it waited for a worker."""
        self.dropped = True
        self.audio = NO_AUDIO
        return self.submission is not None and not self.submission.withdraw()
