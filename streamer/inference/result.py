"""What becomes of a segment in the worker pool: a result or an error, and how it came about."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

Fate = Literal["ok", "raised", "died", "timeout"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One worker's work on a segment; seconds on the machine's monotonic clock."""

    worker_pid: int
    begun_s: float
    ended_s: float
    outcome: Fate


class InferenceError(Exception):
    """A segment that gets no result."""

    attempts: tuple[Attempt, ...] = ()
    """What was done for it."""

    where: str = ""
    """The place in the model's code that raised."""


class InferenceFailed(InferenceError):
    """The model raised on it."""


class InferenceTimedOut(InferenceError):
    """It ran past `inference.timeout_seconds`."""


class WorkerLost(InferenceError):
    """Its worker died, and the worker of its retry too."""


class PoolClosed(InferenceError):
    """The server is shutting down."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a model made of a segment.

    Attributes:
        output: The model's fields.
        state: Of a stateful model, for the channel's next segment.
        seconds: What it took the worker.
        attempts: What was done for it; the last one gave the result.
    """

    output: dict[str, Any]
    state: bytes | None
    seconds: float
    attempts: tuple[Attempt, ...] = ()


Result = asyncio.Future[Inferred]
