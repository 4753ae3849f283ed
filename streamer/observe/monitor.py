"""What the streaming path reports of itself, for metrics.

The base class does nothing, so the pipeline runs without telemetry; `telemetry/prometheus.py`
counts. Only measures and closed sets of names pass through here: no session ids, no text.
"""

import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

Stage = Literal["decode", "resample", "vad", "queue", "inference"]
Route = Literal["segmented", "simple", "recording"]
Subsystem = Literal["route", "client", "decode", "inference", "metrics"]
SegmentOutcome = Literal["ok", "inference_failed", "worker_lost", "inference_timeout"]
AccountEntry = Literal[
    "received", "speech", "transcribed", "failed", "dropped", "loud_unheard", "abandoned"
]
ShedReason = Literal["superseded", "dropped", "backlog"]
EarlyOutcome = Literal["used", "shown", "wasted"]
"""Of an inference that was begun in a pause: it became the final, an interim only, or neither."""
RestartCause = Literal["died", "timeout", "max_jobs"]
AttemptOutcome = Literal["ok", "raised", "died", "timeout"]
RemoteWorkers = Literal["alive", "starting", "waiting", "unavailable"]
"""What the remote workers of a model do: run jobs; start; wait for a machine with room; look for
their cluster."""
Decoded = Literal["recording", "stream"]
"""What a decoder process decodes: a whole recording, or a live stream in a container."""
DecoderFailure = Literal["crashed", "stopped", "failed", "stalled", "nonsense", "lost"]
"""How a decoder process failed: by a signal; at a limit of time or memory; with an exit code;
without progress; by writing what no decoder writes; or there is none, as its launcher failed."""

T = TypeVar("T")


class TaskOver(Exception):
    """A task ends those beside it by this, as it should: it has not failed."""


class Monitor:
    """Receives everything that is worth counting, and ignores it.

    Args:
        clock: Monotonic seconds, the same for all processes of the machine.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock

    def stage(self, stage: Stage, processing_s: float, media_s: float) -> None:
        """A stage has spent `processing_s` seconds on `media_s` seconds of audio."""

    def session_opened(self, route: Route, dialect: str, held_bytes: Callable[[], int]) -> None:
        """A socket or request was accepted; `held_bytes()` bytes of it wait to be processed.

        Args:
            route: The endpoint.
            dialect: A `DialectName` of the configuration, here and below.
            held_bytes: Returns bytes.
        """

    def session_closed(self, route: Route, dialect: str, held_bytes: Callable[[], int]) -> None:
        """A socket or a request has ended, with all its tasks."""

    def stream_opened(self, route: Route, dialect: str, channels: int) -> None:
        """A stream began."""

    def stream_closed(self, route: Route, dialect: str, channels: int) -> None:
        """A stream ended, normally or not."""

    def received(self, size: int, media_s: float) -> None:
        """Audio has arrived: its size in bytes, and the seconds of one channel."""

    def accounted(self, entry: AccountEntry, media_s: float) -> None:
        """Count `media_s` seconds more of a channel's audio under an entry of its account.

        The entries are those of `stopped.seconds`, and `abandoned`: in segments without a result
        when their stream was broken off.
        """

    def error(self, code: str) -> None:
        """An error was sent to a client; the codes are those of the protocol."""

    def warning(self, code: str) -> None:
        """A warning was sent to a client; the codes are those of the protocol."""

    def final(
        self, model: str, outcome: SegmentOutcome, latency_s: float, wait_s: float, trace_id: str
    ) -> None:
        """A segment has its result, or its error.

        Args:
            model: Name of the model.
            outcome: Result or kind of error.
            latency_s: Seconds since the audio arrived that ended it.
            wait_s: Seconds since its `inactive`.
            trace_id: Exemplar for the metric.
        """

    def interim(self, model: str, first_s: float | None) -> None:
        """An interim was delivered; for a segment's first, `first_s` seconds after `active`."""

    def interim_shed(self, model: str, reason: ShedReason) -> None:
        """An interim was dropped."""

    def early_final(self, model: str, outcome: EarlyOutcome) -> None:
        """An inference that was begun in a pause has this outcome."""

    def inferred(
        self, model: str, *, interim: bool, queue_s: float, inference_s: float, media_s: float
    ) -> None:
        """A worker has answered a job."""

    def batch(self, model: str, size: int) -> None:
        """A worker has answered `size` jobs that it was given together."""

    def worker_busy(self, model: str, seconds: float) -> None:
        """A worker had jobs for so long, whether their results were needed to the end or not."""

    def worker_used(self, model: str, worker: int, cpu_s: float, peak_memory_bytes: int) -> None:
        """CPU time of a worker's last batch, and the most memory it has had since it began."""

    def attempted(self, model: str, node: str, outcome: AttemptOutcome) -> None:
        """A remote worker has worked on a job, on this machine of its cluster."""

    def worker_replaced(self, model: str, cause: RestartCause) -> None:
        """A worker process is replaced."""

    def decoder_started(self, decoded: Decoded) -> None:
        """A decoder process was asked for."""

    def decoder_closed(self, decoded: Decoded) -> None:
        """It has ended, or is not needed any more."""

    def decoder_failed(self, decoded: Decoded, failure: DecoderFailure) -> None:
        """It has failed, or could not be started: its recording or stream gets an error."""

    def loop_lag(self, lag_s: float) -> None:
        """The event loop ran a timer `lag_s` seconds late."""

    def tracked(self, subsystem: Subsystem, task: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """The body of a task, wrapped so that the task is counted."""
        return task


class Meter:
    """Sums what a stage spends, and reports it once for each second of audio.

    Reporting each 20 ms message would cost as much as decoding it, and a real-time factor means
    little over so short a time.

    Args:
        monitor: Receives the sums.
        stage: Name of the stage.
    """

    __slots__ = ("_media_s", "_monitor", "_processing_s", "_stage", "clock")

    def __init__(self, monitor: Monitor, stage: Stage) -> None:
        self.clock = monitor.clock
        self._monitor = monitor
        self._stage: Stage = stage
        self._processing_s = 0.0
        self._media_s = 0.0

    def add(self, processing_s: float, media_s: float) -> None:
        """Add seconds spent, and the seconds of audio they were spent on."""
        self._processing_s += processing_s
        self._media_s += media_s
        if self._media_s >= 1.0:
            self.report()

    def report(self) -> None:
        """Report what is left; for the end of a stream."""
        if self._media_s:
            self._monitor.stage(self._stage, self._processing_s, self._media_s)
            self._processing_s = self._media_s = 0.0
