"""The deadlines of a socket: first message, idle time, age, and how far processing is behind.

Pure: the time is passed in.
"""

from collections.abc import Iterator
from enum import Enum, auto

from streamer.config.limits import LimitsConfig

LAGGING = 1 / 3
"""Part of `max_lag_seconds` after which the client is warned."""


class Expired(Enum):
    """A limit of time that has been reached."""

    TOO_LONG = auto()
    """The socket is older than `max_session_seconds`."""
    NO_START = auto()
    """No message has come within `start_seconds`."""
    IDLE = auto()
    """No message has come for `idle_seconds`."""
    OVERLOADED = auto()
    """The oldest audio that was accepted has waited for `max_lag_seconds`."""
    LAGGING = auto()
    """It has waited for a third of that; reported once."""


class Deadlines:
    """The deadlines of one socket. Messages only leave a time behind: nothing is re-armed.

    Args:
        limits: 0 = no deadline.
        opened_s: When the socket was opened.
    """

    def __init__(self, limits: LimitsConfig, opened_s: float) -> None:
        self._limits = limits
        self._opened_s = opened_s
        self._warned = False
        self.last_message_s: float | None = None
        """When the last message came; None before the first."""

    def check(
        self, now_s: float, *, oldest_s: float | None, idle_since_s: float | None
    ) -> tuple[Expired | None, float | None]:
        """Which deadline has passed, and when to check again; None = never.

        Args:
            now_s: The time.
            oldest_s: When the audio arrived that has waited longest; None = no audio waits.
            idle_since_s: Since when the server waits for the client; None = the client may be
                waiting for the server, so it is not idle.
        """
        ends = dict(self._ends(now_s, oldest_s, idle_since_s))
        over = next((due for due, end_s in ends.items() if end_s <= now_s), None)
        self._warned |= over is Expired.LAGGING
        return over, min(ends.values(), default=None)

    def _ends(
        self, now_s: float, oldest_s: float | None, idle_since_s: float | None
    ) -> Iterator[tuple[Expired, float]]:
        """When each deadline passes, or could pass at the earliest."""
        limits = self._limits
        if limits.max_session_seconds:
            yield Expired.TOO_LONG, self._opened_s + limits.max_session_seconds
        if limits.max_lag_seconds:
            waiting_s = now_s if oldest_s is None else oldest_s
            yield Expired.OVERLOADED, waiting_s + limits.max_lag_seconds
            if not self._warned:
                yield Expired.LAGGING, waiting_s + limits.max_lag_seconds * LAGGING
        if self.last_message_s is None and limits.start_seconds:
            yield Expired.NO_START, self._opened_s + limits.start_seconds
        if limits.idle_seconds:
            quiet_s = self._opened_s if self.last_message_s is None else self.last_message_s
            idle_s = now_s if idle_since_s is None else max(quiet_s, idle_since_s)
            yield Expired.IDLE, idle_s + limits.idle_seconds
