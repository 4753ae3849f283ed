"""What the streaming path tells whoever watches it.

The base class does nothing, so that the pipeline runs without any telemetry at all; what
Prometheus sees is `telemetry/metrics.py`. Only measures and closed sets of names go through here:
no session ids, no text.
"""

import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

Stage = Literal["decode", "resample", "vad", "queue", "inference"]
Route = Literal["segmented", "simple", "recording"]
Subsystem = Literal["route", "client", "decode", "inference", "metrics"]
Outcome = Literal["ok", "inference_failed", "worker_lost", "inference_timeout"]
ShedReason = Literal["superseded", "dropped", "backlog"]
RestartCause = Literal["died", "timeout", "max_jobs"]

T = TypeVar("T")


class Monitor:
    """Told of everything that is worth counting; this one forgets it.

    Args:
        clock: Monotonic seconds, the same for all processes of the machine.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock

    def stage(self, stage: Stage, processing_s: float, media_s: float) -> None:
        """A stage has spent so long on so much audio."""

    def session_opened(self, route: Route, held_bytes: Callable[[], int]) -> None:
        """A socket was accepted, or a request; so many bytes wait to be processed at any time."""

    def session_closed(self, route: Route, held_bytes: Callable[[], int]) -> None:
        """A socket is gone, and all its tasks, or a request."""

    def stream_opened(self, route: Route, channels: int) -> None:
        """A stream began."""

    def stream_closed(self, route: Route, channels: int) -> None:
        """A stream ended, in whatever way."""

    def received(self, size: int, media_s: float) -> None:
        """Audio has come in; the length is that of one channel."""

    def error(self, code: str) -> None:
        """A client is told of an error; the codes are those of the protocol."""

    def warning(self, code: str) -> None:
        """A client is warned; the codes are those of the protocol."""

    def final(
        self, model: str, outcome: Outcome, latency_s: float, wait_s: float, trace_id: str
    ) -> None:
        """A segment is settled.

        Args:
            model: Whose segment.
            outcome: What became of it.
            latency_s: Since the audio arrived that ended it.
            wait_s: Since its `inactive`.
            trace_id: An example to look at.
        """

    def interim(self, model: str, first_s: float | None) -> None:
        """An interim was delivered; for a segment's first, the time since its `active`."""

    def interim_shed(self, model: str, reason: ShedReason) -> None:
        """An interim was given up."""

    def early_final(self, model: str, *, used: bool) -> None:
        """What was begun in a pause became the final, or was thrown away."""

    def inferred(
        self, model: str, *, interim: bool, queue_s: float, inference_s: float, media_s: float
    ) -> None:
        """A worker has answered a job."""

    def batch(self, model: str, size: int) -> None:
        """Jobs went to a worker together."""

    def worker_used(self, model: str, worker: int, cpu_s: float, peak_memory_bytes: int) -> None:
        """What a worker has used for its last batch, and at most since it began."""

    def worker_replaced(self, model: str, cause: RestartCause) -> None:
        """A worker process is replaced."""

    def loop_lag(self, lag_s: float) -> None:
        """The event loop came back later than it should."""

    def tracked(self, subsystem: Subsystem, task: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """The body of a task, counted."""
        return task


class Meter:
    """Adds up what a stage spends, and reports it once for each second of audio.

    Reporting each 20 ms message would cost as much as decoding it, and a real-time factor means
    little over so short a time.

    Args:
        monitor: Told.
        stage: Which one.
    """

    __slots__ = ("_media_s", "_monitor", "_processing_s", "_stage", "clock")

    def __init__(self, monitor: Monitor, stage: Stage) -> None:
        self.clock = monitor.clock
        self._monitor = monitor
        self._stage: Stage = stage
        self._processing_s = 0.0
        self._media_s = 0.0

    def add(self, processing_s: float, media_s: float) -> None:
        """Some more."""
        self._processing_s += processing_s
        self._media_s += media_s
        if self._media_s >= 1.0:
            self.report()

    def report(self) -> None:
        """Say what there is; for the end of a stream."""
        if self._media_s:
            self._monitor.stage(self._stage, self._processing_s, self._media_s)
            self._processing_s = self._media_s = 0.0
