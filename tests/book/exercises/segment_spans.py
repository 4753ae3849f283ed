"""Make the spans of a segment from the moments of its history."""

from collections.abc import Sequence
from typing import NamedTuple


class Attempt(NamedTuple):
    """One worker's work on a segment."""

    begun_s: float
    ended_s: float
    outcome: str
    """`ok`, `raised`, `died` or `timeout`."""


class Span(NamedTuple):
    """A part of a trace; moments in seconds."""

    name: str
    parent: str | None
    begun_s: float
    ended_s: float
    failed: bool


def spans(
    active_s: float, submitted_s: float, settled_s: float, attempts: Sequence[Attempt]
) -> list[Span]:
    """Return the spans of a segment, the parent first, and then in order of their beginning.

    - `segment`, without a parent, from `active_s` to `settled_s`. It has failed if its last attempt
      is not `ok`, or if there is none.
    - `queue`, for each attempt: from `submitted_s`, or from the end of the attempt before, to the
      beginning of the attempt. If there is no attempt, one to `settled_s`. It never fails.
    - `inference`, for each attempt; it has failed if its outcome is not `ok`.

    The parent of `queue` and `inference` is `segment`. A worker and the server read the clock at
    different moments, so an attempt may seem to begin a little before the job was submitted or the
    attempt before has ended, or to end after the segment was settled. No span may end before it
    begins, begin before the span ahead of it in the list, or reach out of its parent: a moment is
    moved to the nearest allowed one.
    """
    raise NotImplementedError
