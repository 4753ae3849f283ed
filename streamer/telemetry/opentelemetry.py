"""Traces for OpenTelemetry: session → stream → segment → queue, and inference in its worker.

Spans are made here, in the server's process, from the moments that the workers report on the
machine's monotonic clock; so a worker that dies leaves a closed span with the outcome "died".
Attributes: https://opentelemetry.io/docs/specs/semconv/registry/attributes/ where they exist,
`streamer.*` otherwise. A client's `tracestate` is not used.
"""

import time
from collections.abc import Callable

import msgspec
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

import streamer
from streamer.observe.timeline import Settled
from streamer.observe.traceparent import TraceContext
from streamer.observe.tracer import Protocol, SessionTrace, StreamTotals, StreamTrace, Tracer


class TraceIds(RandomIdGenerator):
    """Random ids, but for a trace whose id the client has chosen without naming a span."""

    def __init__(self) -> None:
        self.next_trace_id: int | None = None

    def generate_trace_id(self) -> int:
        """`next_trace_id` once, else a random id."""
        given, self.next_trace_id = self.next_trace_id, None
        return given or super().generate_trace_id()


class OtelTracer(Tracer):
    """Makes spans.

    Args:
        provider: Exports them; made with `ids`.
        ids: Of its spans.
        clock: The monitor's: monotonic seconds.
        record_text: Whether models' outputs become attributes.
    """

    def __init__(
        self,
        provider: TracerProvider,
        ids: TraceIds,
        clock: Callable[[], float],
        *,
        record_text: bool,
    ) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("streamer", streamer.__version__)
        self._ids = ids
        self.clock = clock
        self.record_text = record_text

    def session(self, session_id: str, protocol: Protocol, path: str, dialect: str) -> SessionTrace:
        return _OtelSession(self, session_id, protocol, path, dialect)

    def shutdown(self) -> None:
        self._provider.shutdown()

    def begin(
        self,
        name: str,
        parent: Context,
        begun_ns: int,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        links: "list[Link] | None" = None,
    ) -> Span:
        """A span that began at a moment of the past."""
        return self._tracer.start_span(name, parent, kind, links=links, start_time=begun_ns)

    def client_context(self, context: TraceContext) -> Context:
        """What the first span of a client's trace is begun in."""
        trace_id = int(context.trace_id, 16)
        if context.parent_span_id is None:
            self._ids.next_trace_id = trace_id
            return Context()
        flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
        span_id = int(context.parent_span_id, 16)
        caller = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
        return set_span_in_context(NonRecordingSpan(caller), Context())


class _OtelSession(SessionTrace):
    """One socket or request. Its span begins with its first stream, in the client's trace."""

    def __init__(
        self, tracer: OtelTracer, session_id: str, protocol: Protocol, path: str, dialect: str
    ) -> None:
        self._tracer = tracer
        self._session_id = session_id
        self._protocol = protocol
        self._path = path
        self._dialect = dialect
        # One anchor for all spans of a session, so that they nest whatever the wall clock does.
        self._epoch_ns = time.time_ns() - int(tracer.clock() * 1e9)
        self._accepted_s = tracer.clock()
        self._span: Span | None = None
        self._status = 200

    def ns(self, moment_s: float) -> int:
        """Of the monitor's clock, in nanoseconds since 1970."""
        return self._epoch_ns + int(moment_s * 1e9)

    def stream(self, context: TraceContext, model: str) -> StreamTrace:
        parent, links = self._parent_of(context)
        now_s = self._tracer.clock()
        span = self._tracer.begin("stream", parent, self.ns(now_s), links=links)
        span.set_attributes({"session.id": self._session_id, "streamer.model": model})
        return _OtelStream(self._tracer, self, span, context.trace_id)

    def refused(self, status: int, code: str, message: str, *, fault: bool) -> None:
        if self._span is None:
            return
        self._status = status
        if fault:
            _fail(self._span, code, message)
        else:  # https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
            self._span.set_attribute("error.type", code)

    def end(self, failure: BaseException | None = None) -> None:
        if self._span is None:
            return
        if self._protocol == "http":
            self._span.set_attribute("http.response.status_code", self._status)
        # The type of a group carries no information; that of its only member does.
        while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
            (failure,) = failure.exceptions
        if failure is not None:
            _fail(self._span, type(failure).__name__, "the session failed")
            self._span.record_exception(failure)
        self._span.end(self.ns(self._tracer.clock()))

    def _parent_of(self, context: TraceContext) -> tuple[Context, list[Link]]:
        trace_id = int(context.trace_id, 16)
        if self._span is None:
            client = self._tracer.client_context(context)
            name = "request" if self._protocol == "http" else "session"
            accepted_ns = self.ns(self._accepted_s)
            self._span = self._tracer.begin(name, client, accepted_ns, kind=SpanKind.SERVER)
            self._span.set_attributes(
                {
                    "session.id": self._session_id,
                    "network.protocol.name": self._protocol,
                    "url.path": self._path,
                    "streamer.dialect": self._dialect,
                }
            )
            if self._protocol == "http":
                self._span.set_attribute("http.request.method", "POST")  # all that take recordings
        if self._span.get_span_context().trace_id == trace_id:
            return set_span_in_context(self._span, Context()), []
        # A later stream that the client counts to another trace.
        return self._tracer.client_context(context), [Link(self._span.get_span_context())]


class _OtelStream(StreamTrace):
    """One stream's span, and those of its segments."""

    def __init__(
        self, tracer: OtelTracer, session: _OtelSession, span: Span, trace_id: str
    ) -> None:
        super().__init__(trace_id)
        self._tracer = tracer
        self._session = session
        self._span = span
        self._context = set_span_in_context(span, Context())

    def segment(self, settled: Settled) -> None:
        if not self._span.is_recording():
            return
        ns, timeline = self._session.ns, settled.timeline
        span = self._tracer.begin("segment", self._context, ns(timeline.active_s))
        span.set_attributes(_described(settled))
        if self._tracer.record_text:
            output = msgspec.json.encode(settled.output).decode()
            span.set_attribute("streamer.segment.output", output)
        for sent_s in timeline.interims:
            span.add_event("interim", timestamp=ns(sent_s))
        span.add_event("inactive", timestamp=ns(timeline.inactive_s))
        if settled.outcome != "ok":
            _fail(span, settled.outcome, settled.problem)
        self._attempts(settled, set_span_in_context(span, Context()))
        span.end(ns(settled.settled_s))

    def error(self, code: str, message: str) -> None:
        _fail(self._span, code, message)

    def end(self, totals: StreamTotals | None) -> None:
        self._span.set_attribute("streamer.stream.stopped", totals is not None)
        if totals is not None:
            self._span.set_attributes(
                {
                    "streamer.stream.audio_seconds": totals.audio_seconds,
                    "streamer.stream.segments": totals.segments,
                }
            )
            for entry, seconds in totals.account.items():
                self._span.set_attribute(f"streamer.stream.{entry}_seconds", seconds)
        self._span.end(self._session.ns(self._tracer.clock()))

    def _attempts(self, settled: Settled, parent: Context) -> None:
        """The wait for a worker, and each worker's work."""
        ns = self._session.ns
        begun_s = settled.attempts[0].begun_s if settled.attempts else settled.settled_s
        queue = self._tracer.begin("queue", parent, ns(settled.timeline.submitted_s))
        queue.end(ns(begun_s))
        for number, attempt in enumerate(settled.attempts, 1):
            span = self._tracer.begin("inference", parent, ns(attempt.begun_s))
            span.set_attributes(
                {
                    "process.pid": attempt.worker_pid,
                    "streamer.inference.worker": attempt.worker,
                    "streamer.inference.attempt": number,
                    "streamer.inference.outcome": attempt.outcome,
                }
            )
            if attempt.node:
                span.set_attribute("streamer.inference.node", attempt.node)
            if attempt.outcome != "ok":
                _fail(span, attempt.outcome, _ATTEMPT_PROBLEMS[attempt.outcome])
            span.end(ns(attempt.ended_s))


_ATTEMPT_PROBLEMS = {
    "raised": "the model raised",
    "died": "the worker process died",
    "timeout": "the worker was killed at its deadline",
}


def _described(settled: Settled) -> dict[str, AttributeValue]:
    return {
        "streamer.channel": settled.channel,
        "streamer.segment.start_time": settled.start_time,
        "streamer.segment.end_time": settled.end_time,
        "streamer.segment.flushed": settled.flushed,
        "streamer.segment.early": settled.timeline.early,
        "streamer.segment.outcome": settled.outcome,
        "streamer.segment.interims": len(settled.timeline.interims),
        "streamer.segment.interims_shed": settled.timeline.interims_shed,
    }


def _fail(span: Span, error_type: str, message: str) -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(StatusCode.ERROR, message)
