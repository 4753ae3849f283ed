"""A rate that is kept by waiting. Pure: the clock's readings are passed in."""

import math


class TokenBucket:
    """Allows `per_second` things a second, and as many at once after a quiet second.

    Args:
        per_second: 0 is no limit.
    """

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._level = float(per_second)
        self._at_s = -math.inf

    def take(self, count: int, now_s: float) -> float:
        """Count things that have happened; returns the seconds to wait before the next."""
        if not self.per_second:
            return 0.0
        level = self._level + (now_s - self._at_s) * self.per_second
        if level > self.per_second:
            level = self.per_second
        self._at_s, self._level = now_s, level - count
        return -self._level / self.per_second if self._level < 0 else 0.0
