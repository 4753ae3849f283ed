"""How many remote workers there should be, by what the queue's delay has been. Pure.

More of them when jobs have waited too long for some seconds, fewer when some have been idle for
some minutes. What makes machines come and go takes a minute and costs money, so the number must
not follow each burst: it grows on a delay that lasts, and falls only after a much longer time
without one. While as many workers wait for a machine as there are alive, no more are asked for.
"""

import math
from dataclasses import dataclass

GROW_DELAY_S = 0.25
"""Seconds of expected waiting above which there are too few workers: a pause that ends a segment
is about twice as long, so until then most results come without a noticeable delay."""

GROW_AFTER_S = 3.0
"""Seconds for which that has to last: longer than an ordinary burst, such as many streams whose
segments end together."""

GROW_SHARE = 0.25
"""Of the present number, how many more are asked for at once; at least one."""

SHRINK_AFTER_S = 120.0
"""Seconds without a delay, and with idle workers, after which one is let go: as long as a machine
typically takes to come back."""

SHRINK_BUSY_SHARE = 0.7
"""Of the workers that would be left, how many may have been busy at most, on average: so the
remaining ones do not cause a delay at once."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the pool is like at a moment.

    Attributes:
        delay_s: Expected queueing time of a new session's first segment.
        busy: Workers that run a job, local ones too.
        local: Local workers that are alive.
        alive: Remote workers that are alive.
        waiting: Remote workers that are not alive yet: most wait for a machine.
    """

    delay_s: float
    busy: int
    local: int
    alive: int
    waiting: int


class Elastic:
    """Decides the number of remote workers.

    Args:
        least: At least so many.
        most: At most so many.
        wanted: So many at first.
    """

    def __init__(self, least: int, most: int, wanted: int) -> None:
        self._least = least
        self._most = most
        self.wanted = wanted
        self.reason = ""
        """Why `wanted` has changed, when it has last."""
        self._delayed_since_s: float | None = None
        self._idle_since_s: float | None = None
        self._busy_s = 0.0
        self._seen_s: float | None = None

    def update(self, now_s: float, load: Load) -> int:
        """Take note of the load; returns how many remote workers there should be.

        Call it about once a second, with moments in seconds on one monotonic clock.
        """
        elapsed_s = 0.0 if self._seen_s is None else now_s - self._seen_s
        self._seen_s = now_s
        if load.delay_s > GROW_DELAY_S:
            self._idle_since_s = None
            self._grow(now_s, load)
        else:
            self._delayed_since_s = None
            self._shrink(now_s, elapsed_s, load)
        return self.wanted

    def _grow(self, now_s: float, load: Load) -> None:
        if self._delayed_since_s is None:
            self._delayed_since_s = now_s
        if now_s - self._delayed_since_s < GROW_AFTER_S or load.waiting >= max(1, load.alive):
            return
        step = max(1, math.ceil(self.wanted * GROW_SHARE))
        self.wanted = min(self._most, self.wanted + step)
        self.reason = (
            f"a new segment would have waited over {GROW_DELAY_S:g} s for the last "
            f"{now_s - self._delayed_since_s:.0f} s, and {load.delay_s:.1f} s now"
        )
        self._delayed_since_s = now_s

    def _shrink(self, now_s: float, elapsed_s: float, load: Load) -> None:
        if self._idle_since_s is None:
            self._idle_since_s, self._busy_s = now_s, 0.0
            return
        self._busy_s += load.busy * elapsed_s
        duration_s = now_s - self._idle_since_s
        if duration_s < SHRINK_AFTER_S:
            return
        left = load.local + self.wanted - 1
        busy = self._busy_s / duration_s
        if busy <= SHRINK_BUSY_SHARE * left:
            self.wanted = max(self._least, self.wanted - 1)
            self.reason = (
                f"no new segment would have waited over {GROW_DELAY_S:g} s for the last "
                f"{duration_s:.0f} s, and on average {busy:.1f} of {load.local + load.alive} "
                "workers were busy"
            )
        self._idle_since_s = None


def fallback_workers(spare: int, *, unavailable: int, waiting: int, others_alive: int) -> int:
    """How many local workers stand in for remote ones.

    Args:
        spare: At most so many.
        unavailable: Remote workers whose cluster cannot be had.
        waiting: Remote workers that wait for a machine; these count only if there is no other
            worker, because machines may be on their way.
        others_alive: Workers that are alive, without those that stand in.
    """
    missing = unavailable + (0 if others_alive else waiting)
    return min(spare, missing)
