"""How fast a connection is read: rates, pauses and the size of a piece. Pure.

The clock's readings are passed in.
"""

import math
from dataclasses import dataclass

from streamer.config.schema import LimitsConfig
from streamer.websocket.signals import SlowedNotice

MIN_PIECE_BYTES, MAX_PIECE_BYTES = 256, 4_096
"""Bytes that are parsed at once: few where frames are small, because 40 frames take a millisecond
to handle, and more in the middle of large frames."""

FEW_FRAMES, MANY_FRAMES = 1, 8
"""Frames in a piece: with at most FEW_FRAMES the next piece is larger, with more than MANY_FRAMES
it is as small as can be."""


class TokenBucket:
    """Allows `per_second` events a second, and as many at once after a second without any.

    Args:
        per_second: 0 = no limit.
    """

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._level = float(per_second)
        self._at_s = -math.inf

    def take(self, count: int, now_s: float) -> float:
        """Count events that have happened; returns the seconds to wait before the next one."""
        if not self.per_second:
            return 0.0
        level = self._level + (now_s - self._at_s) * self.per_second
        if level > self.per_second:
            level = self.per_second
        self._at_s, self._level = now_s, level - count
        return -self._level / self.per_second if self._level < 0 else 0.0


@dataclass(frozen=True, slots=True)
class ReadPause:
    """Nothing may be read for this number of seconds."""

    seconds: float
    reason: SlowedNotice


class ReadPacing:
    """The pacing of one connection.

    Args:
        limits: How many messages, and how many control frames, are read in a second.
    """

    def __init__(self, limits: LimitsConfig) -> None:
        self.piece_bytes = MIN_PIECE_BYTES
        """The size of the next piece."""
        self.crowded = False
        """Whether the last piece was full of small frames."""
        self._messages = TokenBucket(limits.max_messages_per_second)
        self._control = TokenBucket(limits.max_control_per_second)

    def fit(self, frames: int) -> None:
        """Choose the size of the next piece from the number of frames in the last one."""
        self.crowded = frames > FEW_FRAMES
        if not self.crowded:
            self.piece_bytes = min(2 * self.piece_bytes, MAX_PIECE_BYTES)
        elif frames > MANY_FRAMES:
            self.piece_bytes = MIN_PIECE_BYTES

    def count(self, messages: int, control: int, now_s: float) -> ReadPause | None:
        """Count messages and control frames; returns the pause that a limit requires, if any."""
        messages_s = self._messages.take(messages, now_s) if messages else 0.0
        control_s = self._control.take(control, now_s) if control else 0.0
        if not messages_s and not control_s:
            return None
        if messages_s >= control_s:
            limit, bucket = "limits.max_messages_per_second", self._messages
        else:
            limit, bucket = "limits.max_control_per_second", self._control
        return ReadPause(max(messages_s, control_s), SlowedNotice(limit, bucket.per_second))
