"""What the streaming path reports of itself, for traces.

The base classes do nothing but keep the trace id; `telemetry/opentelemetry.py` makes spans. No
span is made for less than a segment.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from streamer.observe.monitor import AccountEntry
from streamer.observe.timeline import Settled
from streamer.observe.traceparent import TraceContext

Protocol = Literal["websocket", "http", "wyoming", "grpc"]


class StreamTotals(NamedTuple):
    """Totals of a stream.

    Attributes:
        audio_seconds: In each channel.
        segments: Of all channels.
        account: Seconds of all channels, by entry.
    """

    audio_seconds: float
    segments: int
    account: Mapping[AccountEntry, float]


class StreamTrace:
    """The trace of one stream; this base class records nothing.

    Args:
        trace_id: 32 hex digits.
    """

    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id

    def segment(self, settled: Settled) -> None:
        """A segment has its final, or its error."""

    def error(self, code: str, message: str) -> None:
        """An error that is not about a segment was sent to the client."""

    def end(self, totals: StreamTotals | None) -> None:
        """The stream is over; None = it was broken off."""


class SessionTrace:
    """Makes the traces of the streams of one socket, or of one request."""

    def stream(self, context: TraceContext, model: str) -> StreamTrace:
        """The trace of a stream that begins, in the client's own trace."""
        return StreamTrace(context.trace_id)

    def refused(self, status: int, code: str, message: str, *, fault: bool) -> None:
        """The request got no result; `status` is what was sent, `fault` whether that is ours."""

    def end(self, failure: BaseException | None = None) -> None:
        """The socket is gone, because of `failure` if there was one."""


class Tracer:
    """Makes the traces of sockets and requests."""

    def session(self, session_id: str, protocol: Protocol, path: str, dialect: str) -> SessionTrace:
        """The trace of a socket that was accepted, or of a request.

        Args:
            session_id: Of the socket or request.
            protocol: Which of these it is.
            path: Its address.
            dialect: A `DialectName` of the configuration.
        """
        return SessionTrace()

    def shutdown(self) -> None:
        """Export what is left. Blocks for seconds: call it outside the event loop."""
