"""What the workers are given to do, and what becomes of it: a result or an error."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from streamer.inference import ipc
from streamer.inference.drafts import SegmentDraft
from streamer.inference.scheduler import ScheduledJob
from streamer.model import SegmentRequest
from streamer.observe.monitor import EarlyOutcome
from streamer.observe.timeline import Attempt

SegmentAudio = Sequence[npt.NDArray[np.float32]]
"""One channel's samples at the model's rate: float32 arrays of any length, in order."""

NO_AUDIO: SegmentAudio = ()

JobKind = Literal["final", "early", "interim"]
"""`final`: a whole segment. `early`: a segment that is whole unless speech resumes. `interim`: a
segment that still grows."""


class InferenceError(Exception):
    """A segment gets no result; the message says why."""

    attempts: tuple[Attempt, ...] = ()
    """The work that workers did on it."""

    where: str = ""
    """The place in the model's code that raised."""


class InferenceFailed(InferenceError):
    """The model raised on the segment, or its request does not fit into a message to a worker."""


class InferenceTimedOut(InferenceError):
    """The segment took longer than `inference.timeout_seconds`."""


class WorkerLost(InferenceError):
    """The segment's worker died, and so did the worker of its retry."""


class PoolClosed(InferenceError):
    """The server is shutting down."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """The result of a segment.

    Attributes:
        output: The model's fields.
        state: Of a stateful model, pickled, for the channel's next segment.
        seconds: Inference time, measured in the worker.
        attempts: The work that workers did on it; the last attempt gave the result.
        dropped: Whether the model found nothing in the segment: `Model.gate` gave the output,
            before inference, or the model returned `Dropped` after it.
    """

    output: dict[str, Any]
    state: bytes | None
    seconds: float
    attempts: tuple[Attempt, ...] = ()
    dropped: bool = False


PendingInference = asyncio.Future[Inferred]
"""Raises an `InferenceError` when there is no result; cancelled when it is not needed any more."""


@dataclass(eq=False, slots=True, kw_only=True)
class InferenceJob(ScheduledJob):
    """A job with its audio.

    Attributes:
        audio: Emptied when the result is settled or cancelled, so that queued jobs do not keep
            audio alive.
        length: Samples in the audio, also after it has been emptied.
        media_s: Seconds of audio; 0 = not known, because the model is not loaded yet.
        state: Of a stateful model, pickled: what the channel's last segment returned.
        request: What is requested of the segment.
        draft: That of the segment, from its other jobs; None = the model uses none.
        result: Cancelled when it is not needed any more.
        queued_s: When the job was queued, in seconds on the monitor's clock.
        gathering_since_s: Since when it waits for others to join its batch, on the same clock; of
            an interim, also the time that those it superseded have waited.
        attempts: The work that workers have done on it.
    """

    audio: SegmentAudio
    length: int = field(init=False)
    media_s: float = 0.0
    state: bytes | None
    request: SegmentRequest
    draft: SegmentDraft | None = None
    result: PendingInference
    queued_s: float
    gathering_since_s: float = field(init=False)
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.length = sum(map(len, self.audio))
        self.gathering_since_s = self.queued_s
        self.result.add_done_callback(self._release_audio)

    @property
    def needed(self) -> bool:
        """Whether the result is still awaited."""
        return not self.result.done()

    @property
    def drafted_request(self) -> SegmentRequest:
        """The request with what is known of the segment now."""
        content = self.draft.content if self.draft else b""
        return replace(self.request, draft=content) if content else self.request

    def fail(self, error: InferenceError) -> None:
        """Settle the job: there will be no result."""
        if not self.result.done():
            error.attempts = tuple(self.attempts)
            self.result.set_exception(error)

    def fail_pool_closed(self) -> None:
        """Settle the job: there will be no result, because the pool is closed."""
        self.fail(PoolClosed("the server is shutting down"))

    def settle(self, outcome: ipc.ItemOutcome) -> None:
        """Settle the job with a worker's answer, whose draft counts even if the result does not."""
        if self.draft and not isinstance(outcome, ipc.Raised):
            self.draft.offer(outcome.draft, self.length)
        if isinstance(outcome, ipc.Abandoned):
            self.fail(InferenceFailed("the model raised Unwanted without having been told"))
        elif isinstance(outcome, ipc.Raised):
            error = InferenceFailed(outcome.reason)
            error.where = outcome.where
            self.fail(error)
        elif not self.result.done():
            self.result.set_result(
                Inferred(
                    outcome.output,
                    outcome.state,
                    outcome.seconds,
                    tuple(self.attempts),
                    outcome.dropped,
                )
            )

    def _release_audio(self, _: PendingInference) -> None:
        self.audio = NO_AUDIO


@dataclass(slots=True)
class Counters:
    """What the pool has done since it started."""

    finals: int = 0
    """Jobs that workers have answered, without interims: early finals count, used or not."""
    interims: int = 0
    """In the same way; early finals count that were interims only when they were answered."""
    interims_shed: int = 0
    """Given up before a worker had begun them, or before they were submitted."""
    early_used: int = 0
    """Early finals that a worker has begun, and that became finals."""
    early_shown: int = 0
    """Those that became interims only."""
    early_wasted: int = 0
    """Those that became neither."""
    early_wasted_seconds: float = 0.0
    """What workers have spent on those."""
    inference_seconds: float = 0.0
    interim_seconds: float = 0.0
    abandoned_seconds: float = 0.0
    """Before a model stopped half-way, because the result was not needed. Not in the time of
    inference; that of early finals is in `early_wasted_seconds`, too."""
    workers_replaced: dict[str, int] = field(
        default_factory=lambda: {"died": 0, "timeout": 0, "max_jobs": 0}
    )

    def count_early(self, outcome: EarlyOutcome, wasted_s: float) -> None:
        """An early final became this; if nothing, `wasted_s` seconds were spent on its result."""
        match outcome:
            case "used":
                self.early_used += 1
            case "shown":
                self.early_shown += 1
            case "wasted":
                self.early_wasted += 1
                self.early_wasted_seconds += wasted_s
