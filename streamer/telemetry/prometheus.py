"""The monitor that counts for Prometheus."""

import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import (
    AccountEntry,
    AttemptOutcome,
    Decoded,
    DecoderFailure,
    EarlyOutcome,
    Monitor,
    RestartCause,
    Route,
    SegmentOutcome,
    ShedReason,
    Stage,
    Subsystem,
    TaskOver,
)
from streamer.telemetry.metrics import Metrics
from streamer.telemetry.nodes import NodeMetrics

T = TypeVar("T")


class PrometheusMonitor(Monitor):
    """Counts what is reported.

    Args:
        registry: Holds the metrics.
        workers: For each model by its name, how many workers it is meant to have.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        workers: Mapping[str, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self._registry = registry
        self._metrics = Metrics(registry, workers)
        self._nodes = NodeMetrics(self._metrics)
        self._held: dict[tuple[Route, str], set[Callable[[], int]]] = defaultdict(set)
        """Of the sessions that are open, by route and dialect."""

    def expose(
        self, pools: Iterable[WorkerPool], used_ratio: float, accept: str | None
    ) -> tuple[bytes, str]:
        """All metrics as text, and its content type.

        Args:
            pools: Their workers and queues are read now.
            used_ratio: The part of `limits.max_sessions` that is taken; 0 without this limit.
            accept: Of the request: Prometheus text, or OpenMetrics, which has the exemplars.
        """
        metrics = self._metrics
        for labels, held in self._held.items():
            metrics.sessions_open.labels(*labels).set(len(held))
        metrics.inbox.set(sum(each() for held in self._held.values() for each in held))
        metrics.sessions_used.set(used_ratio)
        ready = True
        for pool in pools:
            model = pool.spec.name
            ready = ready and pool.ready
            metrics.workers_alive.labels(model).set(pool.workers_alive)
            metrics.workers_wanted.labels(model).set(pool.workers_wanted)
            if pool.crew is not None:
                self._nodes.read(model, pool.crew)
            metrics.queue_wait.labels(model).set(pool.queue.expected_wait_s)
            metrics.queue_depth.labels(model, "final").set(pool.waiting.finals)
            metrics.queue_depth.labels(model, "interim").set(pool.waiting.interims)
        metrics.ready.set(ready)
        encode, content_type = _encoder(accept or "")
        return encode(self._registry), content_type

    def stage(self, stage: Stage, processing_s: float, media_s: float) -> None:
        metrics = self._metrics
        metrics.stage_processing.labels(stage).inc(processing_s)
        metrics.stage_media.labels(stage).inc(media_s)
        metrics.stage_factor.labels(stage).observe(processing_s / media_s)

    def session_opened(self, route: Route, dialect: str, held_bytes: Callable[[], int]) -> None:
        self._held[route, dialect].add(held_bytes)
        self._metrics.sessions.labels(route, dialect).inc()

    def session_closed(self, route: Route, dialect: str, held_bytes: Callable[[], int]) -> None:
        self._held[route, dialect].discard(held_bytes)

    def stream_opened(self, route: Route, dialect: str, channels: int) -> None:
        self._metrics.streams.labels(route, dialect).inc()
        self._metrics.channels_open.labels(route, dialect).inc(channels)

    def stream_closed(self, route: Route, dialect: str, channels: int) -> None:
        self._metrics.channels_open.labels(route, dialect).dec(channels)

    def received(self, size: int, media_s: float) -> None:
        self._metrics.received_bytes.inc(size)
        self._metrics.received_audio.inc(media_s)

    def accounted(self, entry: AccountEntry, media_s: float) -> None:
        self._metrics.channel_audio.labels(entry).inc(media_s)

    def error(self, code: str) -> None:
        self._metrics.errors.labels(code).inc()

    def warning(self, code: str) -> None:
        self._metrics.warnings.labels(code).inc()

    def final(
        self, model: str, outcome: SegmentOutcome, latency_s: float, wait_s: float, trace_id: str
    ) -> None:
        example = {"trace_id": trace_id}
        self._metrics.segments.labels(model, outcome).inc()
        self._metrics.final_latency.labels(model).observe(latency_s, example)
        self._metrics.segment_latency.labels(model).observe(wait_s, example)

    def interim(self, model: str, first_s: float | None) -> None:
        self._metrics.interims.labels(model).inc()
        if first_s is not None:
            self._metrics.first_interim.labels(model).observe(first_s)

    def interim_shed(self, model: str, reason: ShedReason) -> None:
        self._metrics.interims_shed.labels(model, reason).inc()

    def early_final(self, model: str, outcome: EarlyOutcome) -> None:
        self._metrics.early_finals.labels(model, outcome).inc()

    def inferred(
        self, model: str, *, interim: bool, queue_s: float, inference_s: float, media_s: float
    ) -> None:
        kind = "interim" if interim else "final"
        self._metrics.inference.labels(model, kind).observe(inference_s)
        if media_s:
            self._metrics.inference_media.labels(model, kind).inc(media_s)
            self.stage("queue", queue_s, media_s)
            self.stage("inference", inference_s, media_s)

    def batch(self, model: str, size: int) -> None:
        self._metrics.batch_size.labels(model).observe(size)

    def worker_busy(self, model: str, seconds: float) -> None:
        self._metrics.workers_busy.labels(model).inc(seconds)

    def worker_used(self, model: str, worker: int, cpu_s: float, peak_memory_bytes: int) -> None:
        self._metrics.worker_cpu.labels(model, str(worker)).inc(cpu_s)
        self._metrics.worker_memory.labels(model, str(worker)).set(peak_memory_bytes)

    def attempted(self, model: str, node: str, outcome: AttemptOutcome) -> None:
        self._nodes.attempted(model, node, outcome)

    def worker_replaced(self, model: str, cause: RestartCause) -> None:
        self._metrics.worker_restarts.labels(model, cause).inc()

    def decoder_started(self, decoded: Decoded) -> None:
        self._metrics.decoders.labels(decoded).inc()
        self._metrics.decoders_running.labels(decoded).inc()

    def decoder_closed(self, decoded: Decoded) -> None:
        self._metrics.decoders_running.labels(decoded).dec()

    def decoder_failed(self, decoded: Decoded, failure: DecoderFailure) -> None:
        self._metrics.decoder_failures.labels(decoded, failure).inc()

    def loop_lag(self, lag_s: float) -> None:
        self._metrics.loop_lag.observe(lag_s)

    def tracked(self, subsystem: Subsystem, task: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        counted = self._counted(subsystem, task)
        # One that is cancelled before its first step never comes to its body.
        weakref.finalize(counted, task.close).atexit = False
        return counted

    async def _counted(self, subsystem: Subsystem, task: Coroutine[Any, Any, T]) -> T:
        metrics = self._metrics
        metrics.tasks_started.labels(subsystem).inc()
        metrics.tasks_alive.labels(subsystem).inc()
        ended = metrics.tasks_finished
        try:
            return await task
        except TaskOver:
            raise
        except Exception:
            ended = metrics.tasks_failed
            raise
        finally:
            ended.labels(subsystem).inc()
            metrics.tasks_alive.labels(subsystem).dec()


def _encoder(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """The format that an `Accept` header asks for; Prometheus text when it cannot be read."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version or an escaping that is none
        return choose_encoder("")
