"""One loop, and a function that keeps moments inside."""

from collections.abc import Sequence
from typing import NamedTuple


class Attempt(NamedTuple):
    """One worker's work on a segment."""

    begun_s: float
    ended_s: float
    outcome: str


class Span(NamedTuple):
    """A part of a trace."""

    name: str
    parent: str | None
    begun_s: float
    ended_s: float
    failed: bool


def spans(
    active_s: float, submitted_s: float, settled_s: float, attempts: Sequence[Attempt]
) -> list[Span]:
    """Each moment is at least the one before, and at most the end."""
    failed = not attempts or attempts[-1].outcome != "ok"
    made = [Span("segment", None, active_s, settled_s, failed)]
    now_s = active_s

    def until(moment_s: float) -> float:
        return min(max(moment_s, now_s), settled_s)

    now_s = until(submitted_s)
    for attempt in attempts:
        begun_s = until(attempt.begun_s)
        made.append(Span("queue", "segment", now_s, begun_s, failed=False))
        now_s = begun_s
        ended_s = until(attempt.ended_s)
        made.append(Span("inference", "segment", begun_s, ended_s, attempt.outcome != "ok"))
        now_s = ended_s
    if not attempts:
        made.append(Span("queue", "segment", now_s, settled_s, failed=False))
    return made
