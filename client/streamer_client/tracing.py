"""The trace of a run of the client, which connects it with the spans of the server.

With the standard `OTEL_EXPORTER_OTLP_ENDPOINT` set, the client exports a span of its own, and the
server's spans are its children. Without it, the client only generates a trace id.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def new_trace_id() -> str:
    """A bare trace id: 32 hex digits. The server's first span is then the root of the trace."""
    return secrets.token_hex(16)


@contextlib.contextmanager
def begin_trace(given: str | None, env: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield the `trace_id` to send; with an exporter configured, inside a span of the client.

    Args:
        given: A trace to continue, which is passed on as it is; None = begin one.
        env: The standard `OTEL_*` variables.
    """
    if given is not None:
        yield given
    elif any(env.get(name) for name in ENDPOINTS) and env.get("OTEL_SDK_DISABLED") != "true":
        with _exported_span(env) as traceparent:
            yield traceparent
    else:
        yield new_trace_id()


@contextlib.contextmanager
def _exported_span(env: Mapping[str, str]) -> Iterator[str]:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    from opentelemetry.trace import SpanKind

    exporter: SpanExporter
    if next((env[name] for name in PROTOCOLS if env.get(name)), "grpc") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as over_grpc

        exporter = over_grpc.OTLPSpanExporter()
    else:
        from opentelemetry.exporter.otlp.proto.http import trace_exporter as over_http

        exporter = over_http.OTLPSpanExporter()
    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "streamer-client"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        tracer = provider.get_tracer("streamer_client")
        with tracer.start_as_current_span("streamer-client", kind=SpanKind.CLIENT) as span:
            context = span.get_span_context()
            flags = int(context.trace_flags)
            yield f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"
    finally:
        provider.shutdown()
