"""The session and trace that a log line belongs to.

Tasks inherit the context of the task that makes them, so all tasks of a session share its object.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class LogContext:
    """The ids of one socket or request; the trace id is that of its latest stream."""

    session_id: str
    trace_id: str = ""


current: ContextVar[LogContext | None] = ContextVar("current", default=None)
"""None outside of a session."""
