"""Whether traces are exported, and where to: the standard `OTEL_*` variables.

https://opentelemetry.io/docs/languages/sdk-configuration/otlp-exporter/. Nothing of OpenTelemetry
is imported, and nothing is traced, unless an endpoint is set.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from streamer.config.explain import show
from streamer.config.sources import SettingsError
from streamer.observe.tracer import Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def open_tracer(env: Mapping[str, str], clock: Callable[[], float], *, record_text: bool) -> Tracer:
    """The tracer that the environment asks for.

    Args:
        env: The process's environment.
        clock: The monitor's: monotonic seconds.
        record_text: Whether models' outputs become attributes of spans.

    Raises:
        SettingsError: A variable has a value that is not allowed.
    """
    if not export_requested(env):
        return Tracer()
    try:
        return _open(env, clock, record_text=record_text)
    except SettingsError:
        raise
    except Exception as error:  # OpenTelemetry has no class for what it makes of its variables
        names = ", ".join(sorted(name for name in env if name.startswith("OTEL_")))
        problem = " ".join(str(error).split())
        raise SettingsError(f"OpenTelemetry cannot use one of {names}: {problem}") from error


def _open(env: Mapping[str, str], clock: Callable[[], float], *, record_text: bool) -> Tracer:
    exporter = _exporter(env)
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    import streamer
    from streamer.telemetry.opentelemetry import OtelTracer, TraceIds

    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "streamer"}))
    if "service.version" not in resource.attributes:
        resource = resource.merge(Resource({"service.version": streamer.__version__}))
    ids = TraceIds()
    provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OtelTracer(provider, ids, clock, record_text=record_text)


def export_requested(env: Mapping[str, str]) -> bool:
    """Whether the environment names an endpoint, and nothing switches traces off."""
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = env.get("OTEL_TRACES_EXPORTER") or "otlp"
    if exporter == "none":
        return False
    if exporter != "otlp":
        raise SettingsError(f"'OTEL_TRACES_EXPORTER' is {show(exporter)}; allowed: otlp, none")
    return any(env.get(name) for name in ENDPOINTS)


def _exporter(env: Mapping[str, str]) -> "SpanExporter":
    name = next((name for name in PROTOCOLS if env.get(name)), PROTOCOLS[-1])
    protocol = env.get(name) or "grpc"
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http import trace_exporter

        return trace_exporter.OTLPSpanExporter()
    raise SettingsError(f"'{name}' is {show(protocol)}; allowed: grpc, http/protobuf")
