"""How fast a connection is read: rates, pauses and the size of a piece. Pure.

The clock's readings are passed in.
"""

import math
from dataclasses import dataclass

from streamer.config.limits import LimitsConfig
from streamer.websocket.signals import SlowedNotice

MIN_PIECE_BYTES, MAX_PIECE_BYTES = 256, 4_096
"""Bytes that are parsed at once: few where frames are small, because 40 frames take a millisecond
to handle, and more in the middle of large frames."""

FEW_FRAMES, MANY_FRAMES = 1, 8
"""Frames in a piece: with at most FEW_FRAMES the next piece is larger, with more than MANY_FRAMES
it is as small as can be."""


ACTIVE_S = 1.0
"""Seconds since its last message in which a connection that keeps the limits counts as active."""

NOTE_S = 0.1
"""Seconds in which a connection is noted as active once, however many messages it sends."""

SPARE_SHARE = 0.2
"""Part of the time of the event loop that connections over the limit get together, while another is
active. A ping that a client sends behind 4 MB of small messages, as much as the kernels keep, is
then answered in time: keepalives commonly wait 20 s."""

MAX_SAVED_S = 0.005
"""Seconds of that time that can be saved up. Timers fire up to a millisecond late."""


class SpareTime:
    """Time for connections that are over the limit of messages; shared by those of a server.

    While no other connection is active, they get all of it.
    """

    def __init__(self) -> None:
        self._active: dict[object, float] = {}
        """The two last connections that were active, and when; the later one is the last."""
        self._level_s = 0.0
        self._at_s = -math.inf

    def note_active(self, connection: object, now_s: float) -> None:
        """A connection that keeps the limits has sent a message."""
        self._active.pop(connection, None)
        self._active[connection] = now_s
        if len(self._active) > 2:
            del self._active[next(iter(self._active))]

    def spend(self, seconds: float, now_s: float) -> None:
        """A connection over the limit has used this time, until now."""
        saved_s = self._level_s + (now_s - self._at_s) * SPARE_SHARE
        self._at_s, self._level_s = now_s, min(saved_s, MAX_SAVED_S) - seconds

    def wait_s(self, connection: object, now_s: float) -> float:
        """Seconds until this connection may use time again, although it is over the limit."""
        others = (at_s for other, at_s in self._active.items() if other is not connection)
        if all(at_s < now_s - ACTIVE_S for at_s in others):
            return 0.0
        return max(0.0, -self._level_s / SPARE_SHARE - (now_s - self._at_s))

    def forget(self, connection: object) -> None:
        """The connection is lost."""
        self._active.pop(connection, None)


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

    def forgive(self) -> None:
        """Count no more than is allowed by now."""
        self._level = max(self._level, 0.0)


@dataclass(frozen=True, slots=True)
class ReadPause:
    """Nothing may be read for this number of seconds."""

    seconds: float
    reason: SlowedNotice


class ReadPacing:
    """The pacing of one connection.

    Args:
        limits: How many messages, and how many control frames, are read in a second.
        spare: More messages are read in this time.
    """

    def __init__(self, limits: LimitsConfig, spare: SpareTime) -> None:
        self._spare = spare
        self.piece_bytes = MIN_PIECE_BYTES
        """The size of the next piece."""
        self.crowded = False
        """Whether the last piece was full of small frames."""
        self.over_limit = False
        """Whether more messages come than the limit allows."""
        self._noted_s = -math.inf
        """When this connection was last noted as active."""
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
        messages_s = self._count_messages(messages, now_s) if messages else 0.0
        control_s = self._control.take(control, now_s) if control else 0.0
        if not messages_s and not control_s:
            return None
        if messages_s >= control_s:
            limit, bucket = "limits.max_messages_per_second", self._messages
        else:
            limit, bucket = "limits.max_control_per_second", self._control
        return ReadPause(max(messages_s, control_s), SlowedNotice(limit, bucket.per_second))

    def spend(self, seconds: float, now_s: float) -> None:
        """Parsing took this time, until now, and is counted if the connection is over the limit."""
        if self.over_limit:
            self._spare.spend(seconds, now_s)

    def stop(self) -> None:
        """The connection is lost."""
        self._spare.forget(self)

    def _count_messages(self, count: int, now_s: float) -> float:
        limited_s = self._messages.take(count, now_s)
        self.over_limit = limited_s > 0
        if not self.over_limit:
            if now_s >= self._noted_s + NOTE_S:
                self._noted_s = now_s
                self._spare.note_active(self, now_s)
            return 0.0
        spare_s = self._spare.wait_s(self, now_s)
        if spare_s < limited_s:
            self._messages.forgive()
        return min(spare_s, limited_s)
