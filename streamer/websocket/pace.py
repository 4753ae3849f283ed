"""How fast a connection is read: how much at once, and how long to rest. Pure."""

from dataclasses import dataclass

from streamer.config.schema import LimitsConfig
from streamer.websocket.channel import Slowed
from streamer.websocket.rate import TokenBucket

LEAST_BYTES, MOST_BYTES = 256, 4_096
"""Parsed at once: little where frames are small, as 40 of them take a millisecond to handle, and
more in the middle of large ones."""

FEW, MANY = 1, 8
"""Frames in a piece, for the next one to be larger or as small as can be."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing may be read for so long."""

    seconds: float
    because: Slowed


class Pace:
    """Of one connection.

    Args:
        limits: How many messages, and how many control frames, are read in a second.
    """

    def __init__(self, limits: LimitsConfig) -> None:
        self.piece_bytes = LEAST_BYTES
        """To parse at once."""
        self.crowded = False
        """Whether the last piece was full of small frames."""
        self._messages = TokenBucket(limits.max_messages_per_second)
        self._control = TokenBucket(limits.max_control_per_second)

    def fit(self, frames: int) -> None:
        """Choose the next piece; so many frames were in the last one."""
        self.crowded = frames > FEW
        if not self.crowded:
            self.piece_bytes = min(2 * self.piece_bytes, MOST_BYTES)
        elif frames > MANY:
            self.piece_bytes = LEAST_BYTES

    def count(self, messages: int, control: int, now_s: float) -> Rest | None:
        """Count messages and control frames; how long to rest, if they were too many."""
        messages_s = self._messages.take(messages, now_s) if messages else 0.0
        control_s = self._control.take(control, now_s) if control else 0.0
        if not messages_s and not control_s:
            return None
        if messages_s >= control_s:
            limit, bucket = "limits.max_messages_per_second", self._messages
        else:
            limit, bucket = "limits.max_control_per_second", self._control
        return Rest(max(messages_s, control_s), Slowed(limit, bucket.per_second))
