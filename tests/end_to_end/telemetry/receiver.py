"""A real OTLP receiver: the services of opentelemetry-proto over gRPC, and over HTTP."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass
class Span:
    """As it arrived, with its children."""

    name: str
    trace_id: str
    id: str
    parent_id: str
    begun_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    events: list[str]
    failed: bool
    message: str
    service: str
    links: list[str]
    children: list["Span"] = field(default_factory=list)

    def only(self, name: str) -> "Span":
        """Its single child of that name."""
        (found,) = self.all(name)
        return found

    def all(self, name: str) -> list["Span"]:
        return [child for child in self.children if child.name == name]


class Receiver:
    """What has arrived so far."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def take(self, request: messages.ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            about = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [_span(span, about["service.name"]) for span in scope.spans]

    def tree(self, trace_id: str) -> list[Span]:
        """The roots of a trace; a root is a span whose parent has not arrived."""
        spans = {span.id: span for span in self.spans if span.trace_id == trace_id}
        for span in spans.values():
            span.children = [child for child in spans.values() if child.parent_id == span.id]
        return [span for span in spans.values() if span.parent_id not in spans]


class _Service(services.TraceServiceServicer):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def Export(  # noqa: N802 – the name in the protocol
        self, request: messages.ExportTraceServiceRequest, context: object
    ) -> messages.ExportTraceServiceResponse:
        self._receiver.take(request)
        return messages.ExportTraceServiceResponse()


@contextlib.contextmanager
def grpc_receiver() -> Iterator[tuple[Receiver, str]]:
    """A receiver and its endpoint."""
    receiver = Receiver()
    server = grpc.server(ThreadPoolExecutor(2))
    add_service: Any = services.add_TraceServiceServicer_to_server
    add_service(_Service(receiver), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield receiver, f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextlib.contextmanager
def http_receiver() -> Iterator[tuple[Receiver, str]]:
    """A receiver and its endpoint."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(messages.ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _span(span: WireSpan, service: str) -> Span:
    return Span(
        name=span.name,
        trace_id=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        begun_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        attributes={a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes},
        events=[event.name for event in span.events],
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        message=span.status.message,
        service=service,
        links=[link.trace_id.hex() for link in span.links],
    )
