"""The telemetry of one server, as configured."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from streamer.config.telemetry import TelemetryConfig
from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import Monitor
from streamer.observe.tracer import Tracer
from streamer.telemetry.otlp import open_tracer

Expose = Callable[[Iterable[WorkerPool], float, str | None], tuple[bytes, str]]
"""Metrics as text and its content type, from the pools, the part of the places that is taken, and
the `Accept` header."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What observes the streaming path; `expose` is None when metrics are off."""

    monitor: Monitor
    tracer: Tracer
    expose: Expose | None


def open_telemetry(
    config: TelemetryConfig, workers: Mapping[str, int], env: Mapping[str, str]
) -> Telemetry:
    """Telemetry as configured.

    Args:
        config: Its settings.
        workers: For each model by its name, how many workers it is meant to have.
        env: The process's environment; `OTEL_*` configures the export of traces.

    Raises:
        SettingsError: A variable has a value that is not allowed.
    """
    monitor, expose = Monitor(), None
    if config.metrics:
        from prometheus_client import CollectorRegistry, disable_created_metrics

        from streamer.telemetry.prometheus import PrometheusMonitor

        # A third of the text, of no use to Prometheus.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        monitor = counting = PrometheusMonitor(CollectorRegistry(), workers)
        expose = counting.expose
    tracer = open_tracer(env, monitor.clock, record_text=config.record_text)
    return Telemetry(monitor, tracer, expose)
