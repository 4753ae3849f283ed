"""Interims that wait: at most one of each channel."""

from collections.abc import Hashable


class Interims:
    """A queue in order of arrival, in which a newer interim takes the place of the older one."""

    def __init__(self) -> None:
        raise NotImplementedError

    def add(self, channel: Hashable, interim: object) -> object | None:
        """Queue an interim; return the one of the same channel that it replaces, or None."""
        raise NotImplementedError

    def next(self) -> object | None:
        """Take the first interim; None = none waits."""
        raise NotImplementedError

    def ended(self, channel: Hashable) -> object | None:
        """The segment of a channel has ended; return its interim, which is dropped, or None."""
        raise NotImplementedError
