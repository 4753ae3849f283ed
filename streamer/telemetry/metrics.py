"""The Prometheus metrics, by name; `docs/operations.md` lists which one answers which question.

Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters.
Labels take values from closed sets only, and every combination is there from the start, so that a
rate is right from the first event on.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

import streamer
from streamer.config.dialect_names import DialectName
from streamer.observe.monitor import (
    AccountEntry,
    Decoded,
    DecoderFailure,
    EarlyOutcome,
    RemoteWorkers,
    RestartCause,
    Route,
    SegmentOutcome,
    ShedReason,
    Stage,
    Subsystem,
)
from streamer.protocol.codes import ErrorCode, RequestErrorCode, WarningCode

REAL_TIME_FACTORS = (
    *(0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7),
    *(1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 15.0),
)
"""Dense where a stage normally is, and around 1, where it ceases to keep up."""

LATENCIES_S = (
    *(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8),
    *(1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
LAGS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)

ERROR_CODES = tuple(dict.fromkeys((*get_args(ErrorCode), *get_args(RequestErrorCode))))
"""Of the sockets, and of requests; some are of both."""

Labels = Mapping[str, Iterable[str]]
"""The names of labels, and the values that each can take."""


class _Maker:
    """Makes metrics with all their series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, text: str, labels: Labels | None = None) -> Counter:
        made = Counter(f"streamer_{name}", text, list(labels or ()), registry=self._registry)
        for values in _combinations(labels):
            made.labels(*values)
        return made

    def gauge(self, name: str, text: str, labels: Labels | None = None) -> Gauge:
        made = Gauge(f"streamer_{name}", text, list(labels or ()), registry=self._registry)
        for values in _combinations(labels):
            made.labels(*values)
        return made

    def histogram(
        self, name: str, text: str, buckets: Sequence[float], labels: Labels | None = None
    ) -> Histogram:
        made = Histogram(
            f"streamer_{name}", text, list(labels or ()), registry=self._registry, buckets=buckets
        )
        for values in _combinations(labels):
            made.labels(*values)
        return made


def _combinations(labels: Labels | None) -> Iterable[tuple[str, ...]]:
    return itertools.product(*labels.values()) if labels else ()


class Metrics:
    """Every metric of the server.

    Args:
        registry: Takes them.
        workers: For each model by its name, how many workers it is meant to have.
    """

    def __init__(self, registry: CollectorRegistry, workers: Mapping[str, int]) -> None:
        make = _Maker(registry)
        ProcessCollector(registry=registry)
        version = make.gauge("build_info", "The running version.", {"version": ()})
        version.labels(streamer.__version__).set(1)
        self._stages(make)
        self._clients(make)
        self._decoders(make)
        self._results(make, {"model": tuple(workers)})
        self._workers(make, {"model": tuple(workers)}, workers)
        self._remote_workers(make, {"model": tuple(workers)})
        self._event_loop(make)

    def _stages(self, make: _Maker) -> None:
        stage = {"stage": get_args(Stage)}
        self.stage_processing = make.counter(
            "stage_processing_seconds", "Time a stage has spent.", stage
        )
        self.stage_media = make.counter(
            "stage_media_seconds", "Audio a stage has taken, in seconds.", stage
        )
        self.stage_factor = make.histogram(
            "stage_real_time_factor",
            "Time spent for a second of audio: above 1, a stage does not keep up.",
            REAL_TIME_FACTORS,
            stage,
        )

    def _clients(self, make: _Maker) -> None:
        route = {"route": get_args(Route), "dialect": get_args(DialectName)}
        self.sessions_open = make.gauge(
            "sessions_open", "Sockets and requests with recordings that are open.", route
        )
        self.sessions_used = make.gauge(
            "sessions_used_ratio",
            "The part of limits.max_sessions that is taken; 0 without this limit.",
        )
        self.channels_open = make.gauge(
            "channels_open", "Channels of the streams that are open.", route
        )
        self.sessions = make.counter(
            "sessions", "Sockets accepted, and requests with recordings.", route
        )
        self.streams = make.counter("streams", "Streams started.", route)
        self.inbox = make.gauge("inbox_bytes", "Received and not yet processed, of all sessions.")
        self.received_bytes = make.counter("received_bytes", "Audio received, in bytes.")
        self.received_audio = make.counter(
            "received_audio_seconds", "Audio received, in seconds of a stream."
        )
        self.channel_audio = make.counter(
            "channel_audio_seconds",
            "Where the audio of channels went, in seconds.",
            {"entry": get_args(AccountEntry)},
        )
        self.errors = make.counter("errors", "Errors sent to clients.", {"code": ERROR_CODES})
        self.warnings = make.counter(
            "warnings", "Warnings sent to clients.", {"code": get_args(WarningCode)}
        )

    def _decoders(self, make: _Maker) -> None:
        decoded = {"decoded": get_args(Decoded)}
        self.decoders_running = make.gauge(
            "decoders_running", "Decoder processes of recordings and live streams.", decoded
        )
        self.decoders = make.counter("decoders", "Decoder processes begun.", decoded)
        self.decoder_failures = make.counter(
            "decoder_failures",
            "Decoder processes that failed or could not be started.",
            {**decoded, "cause": get_args(DecoderFailure)},
        )

    def _results(self, make: _Maker, model: Labels) -> None:
        self.segments = make.counter(
            "segments", "Segments settled.", {**model, "outcome": get_args(SegmentOutcome)}
        )
        self.final_latency = make.histogram(
            "final_latency_seconds",
            "From the arrival of the audio that ended a segment to its final event.",
            LATENCIES_S,
            model,
        )
        self.segment_latency = make.histogram(
            "segment_latency_seconds", "From `inactive` to `segment`.", LATENCIES_S, model
        )
        self.interims = make.counter("interims", "Interim results sent.", model)
        self.first_interim = make.histogram(
            "first_interim_seconds",
            "From `active` to a segment's first `interim`.",
            LATENCIES_S,
            model,
        )
        self.interims_shed = make.counter(
            "interims_shed",
            "Interim results given up because workers were busy.",
            {**model, "reason": get_args(ShedReason)},
        )
        self.early_finals = make.counter(
            "early_finals",
            "Inferences begun in a pause, before the segment's end was sure.",
            {**model, "outcome": get_args(EarlyOutcome)},
        )

    def _workers(self, make: _Maker, model: Labels, workers: Mapping[str, int]) -> None:
        kind = {**model, "kind": ("final", "interim")}
        self.ready = make.gauge("ready", "Whether every model can be used.")
        self.inference = make.histogram(
            "inference_seconds",
            "Time of the model for one segment, measured in the worker.",
            LATENCIES_S,
            kind,
        )
        self.inference_media = make.counter(
            "inference_media_seconds", "Audio that models have processed, in seconds.", kind
        )
        self.queue_depth = make.gauge("queue_depth", "Jobs that no worker has begun.", kind)
        self.queue_wait = make.gauge(
            "queue_wait_seconds",
            "Expected queueing time of a new session's first segment: limits.max_queue_seconds.",
            model,
        )
        self.batch_size = make.histogram(
            "batch_size", "Segments in one call of a model.", BATCH_SIZES, model
        )
        self.workers_busy = make.counter(
            "workers_busy_seconds",
            "Time in which workers had jobs, also those whose results were not needed in the end.",
            model,
        )
        self.workers_alive = make.gauge("workers_alive", "Workers that are loaded.", model)
        self.workers_wanted = make.gauge("workers_wanted", "Workers as configured.", model)
        self.worker_restarts = make.counter(
            "worker_restarts", "Workers replaced.", {**model, "cause": get_args(RestartCause)}
        )
        worker = {**model, "worker": ()}
        self.worker_cpu = make.counter("worker_cpu_seconds", "CPU time of inference.", worker)
        self.worker_memory = make.gauge(
            "worker_peak_memory_bytes", "The most that the process has held.", worker
        )
        for name, count in workers.items():
            self.workers_wanted.labels(name).set(count)
            for number in range(count):
                self.worker_cpu.labels(name, str(number))
                self.worker_memory.labels(name, str(number))

    def _remote_workers(self, make: _Maker, model: Labels) -> None:
        state = {**model, "state": get_args(RemoteWorkers)}
        self.remote_workers = make.gauge("remote_workers", "Workers on other machines.", state)
        self.node_workers = make.gauge(
            "node_workers", "Remote workers that are loaded, by machine.", {**model, "node": ()}
        )
        self.node_attempts = make.counter(
            "node_attempts",
            "Segments that remote workers have worked on, by machine.",
            {**model, "node": (), "outcome": ()},
        )

    def _event_loop(self, make: _Maker) -> None:
        subsystem = {"subsystem": get_args(Subsystem)}
        self.loop_lag = make.histogram(
            "event_loop_lag_seconds", "How late the event loop was for an appointment.", LAGS_S
        )
        self.tasks_started = make.counter("tasks_started", "Tasks begun.", subsystem)
        self.tasks_finished = make.counter(
            "tasks_finished", "Tasks that came to their end, or were ended.", subsystem
        )
        self.tasks_failed = make.counter(
            "tasks_failed", "Tasks that an exception ended.", subsystem
        )
        self.tasks_alive = make.gauge("tasks_alive", "Tasks that run.", subsystem)
