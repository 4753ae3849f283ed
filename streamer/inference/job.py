"""What the workers are given to do, and what the pool counts of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from streamer.inference import ipc
from streamer.inference.result import (
    Attempt,
    InferenceError,
    InferenceFailed,
    Inferred,
    PoolClosed,
    Result,
)
from streamer.inference.scheduler import Job

Audio = Sequence[npt.NDArray[np.float32]]
"""Samples at the model's rate: arrays of any length, to be heard one after another."""

NOTHING: Audio = ()


@dataclass(eq=False, slots=True, kw_only=True)
class Inference(Job):
    """A job with its audio. Whoever cancels `result` does not want it any more.

    Attributes:
        audio: None is left once there is a result, or nobody wants it: what waits in a queue shall
            not hold the audio of those that have gone.
        length: How many samples it has, or had.
    """

    audio: Audio
    length: int = field(init=False)
    state: bytes | None
    result: Result
    added_s: float
    made: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.length = sum(map(len, self.audio))
        self.result.add_done_callback(self._release)

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for the result."""
        return not self.result.done()

    def fail(self, error: InferenceError) -> None:
        """There will be no result."""
        if not self.result.done():
            error.attempts = tuple(self.made)
            self.result.set_exception(error)

    def close(self) -> None:
        """There will be no result, because the pool ends."""
        self.fail(PoolClosed("the server is shutting down"))

    def settle(self, answer: ipc.Result) -> None:
        """A worker has answered."""
        if isinstance(answer, ipc.Abandoned):
            self.fail(InferenceFailed("the model raised Unwanted without having been told"))
        elif isinstance(answer, ipc.Raised):
            error = InferenceFailed(answer.reason)
            error.where = answer.where
            self.fail(error)
        elif not self.result.done():
            self.result.set_result(
                Inferred(answer.output, answer.state, answer.seconds, tuple(self.made))
            )

    def _release(self, _: Result) -> None:
        self.audio = NOTHING


@dataclass(slots=True)
class Counters:
    """What the pool has done since it started."""

    finals: int = 0
    interims: int = 0
    interims_shed: int = 0
    """Superseded or dropped before a worker began them."""
    early_used: int = 0
    early_wasted: int = 0
    inference_seconds: float = 0.0
    interim_seconds: float = 0.0
    workers_replaced: dict[str, int] = field(
        default_factory=lambda: {"died": 0, "timeout": 0, "max_jobs": 0}
    )
