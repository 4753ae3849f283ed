"""Whose work is being done: what every log line says besides its message.

Tasks inherit the context of the task that makes them, so all tasks of a session share its object.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class LogContext:
    """Of one socket; the trace id is that of its latest stream."""

    session_id: str
    trace_id: str = ""


current: ContextVar[LogContext | None] = ContextVar("current", default=None)
"""None outside of a session."""
