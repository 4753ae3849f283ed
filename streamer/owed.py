"""A result that a channel owes its client."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streamer.inference.jobs import NOTHING
from streamer.inference.result import Result
from streamer.timeline import Timeline

Samples = npt.NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Owed:
    """The result of a segment, final or interim, in seconds from the start of the stream."""

    samples: Samples
    start_time: float
    end_time: float
    final: bool
    timeline: Timeline
    flushed: bool = False
    dropped: bool = False
    """Nobody wants it any more."""
    result: Result | None = None
    """None until it is in the pool."""

    def drop(self) -> None:
        """Nobody wants it any more: what has not begun is not going to be run."""
        self.dropped = True
        self.samples = NOTHING
        if self.result is not None and not self.result.cancel() and not self.result.cancelled():
            self.result.exception()  # asyncio complains of a failure that nobody looks at
