"""A queue in which sessions take turns."""

from collections.abc import Hashable


class Turns:
    """Jobs of several sessions.

    The session at the front gives its oldest job, and goes to the end if it has more. A session
    without jobs joins at the end with its next one.
    """

    def __init__(self) -> None:
        raise NotImplementedError

    def add(self, session: Hashable, job: Hashable) -> None:
        """Queue a job; no two that wait are equal."""
        raise NotImplementedError

    def next(self) -> Hashable | None:
        """Take the next job; None = none waits."""
        raise NotImplementedError

    def withdraw(self, session: Hashable, job: Hashable) -> bool:
        """Take out a job, wherever it is; return whether it waited.

        A session without jobs has no place in the queue any more.
        """
        raise NotImplementedError
