"""A result that a channel owes its client."""

from dataclasses import dataclass

from streamer.inference.job import NOTHING, Audio
from streamer.inference.result import Result
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
    result: Result | None = None
    """None until it is in the pool."""

    def submitted(self, result: Result) -> None:
        """It is in the pool, which holds the audio for as long as it needs it."""
        self.result = result
        self.audio = NOTHING

    def drop(self) -> None:
        """Nobody wants it any more: what has not begun is not going to be run."""
        self.dropped = True
        self.audio = NOTHING
        if self.result is not None and not self.result.cancel() and not self.result.cancelled():
            self.result.exception()  # asyncio complains of a failure that nobody looks at
