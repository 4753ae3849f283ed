"""The trace a stream belongs to: a W3C `traceparent` or a bare trace id, from the client.

https://www.w3.org/TR/trace-context/#traceparent-header. A browser cannot set headers on a
WebSocket, so the id travels in `start`. Only validated strings get in here; a client's
`tracestate` is not used at all.
"""

import re
import secrets
from typing import NamedTuple

# Version 00 ends with the flags; later ones may go on behind a dash (section 4 of the standard).
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:(?<!^00.{53})-.*)?"
)
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED = 1  # section 2.2.3.1


class TraceContext(NamedTuple):
    """A trace id of 32 hex digits, and the client's span in it (16) when it named one.

    `sampled` is whether the client keeps the trace, and would have the server keep it too.
    """

    trace_id: str
    parent_span_id: str | None = None
    sampled: bool = True


def parse(text: str) -> TraceContext | None:
    """Read a `traceparent` or a bare 32-digit hex trace id; None when it is neither."""
    if match := _TRACEPARENT.fullmatch(text):
        trace_id, span_id, flags = match.groups()
        if trace_id != _NO_TRACE and span_id != _NO_SPAN:
            return TraceContext(trace_id, span_id, sampled=bool(int(flags, 16) & _SAMPLED))
    elif _TRACE_ID.fullmatch(text) and text != _NO_TRACE:
        return TraceContext(text)
    return None


def new_context() -> TraceContext:
    """A trace of its own."""
    return TraceContext(secrets.token_hex(16))
