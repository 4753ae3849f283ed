"""Which job runs next. Pure: no tasks, no clock, no processes.

Finals go before interims, and each oldest first. An interim that has not begun when the same
channel brings a newer one is superseded: nobody wants to read it any more.
"""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Scheduler(Generic[T]):
    """A queue of jobs of type `T`."""

    def __init__(self) -> None:
        self._finals: deque[T] = deque()
        self._interims: dict[Hashable, T] = {}

    def __len__(self) -> int:
        return len(self._finals) + len(self._interims)

    def add_final(self, job: T) -> None:
        """Queue a job that must run."""
        self._finals.append(job)

    def add_interim(self, channel: Hashable, job: T) -> T | None:
        """Queue a job that may be replaced; returns the one it supersedes."""
        superseded = self._interims.pop(channel, None)
        self._interims[channel] = job
        return superseded

    def put_back(self, job: T) -> None:
        """Queue again, before all others, a job that has to be run once more."""
        self._finals.appendleft(job)

    def drop_interim(self, channel: Hashable) -> T | None:
        """Take out the waiting interim of a channel whose final is due."""
        return self._interims.pop(channel, None)

    def next(self) -> T | None:
        """The job to run now; None when nothing waits."""
        if self._finals:
            return self._finals.popleft()
        if self._interims:
            return self._interims.pop(next(iter(self._interims)))
        return None
