"""Audio that can wait, and may as well be looked at now when other audio is. Pure.

A detector that takes windows of many channels in one call is cheapest with many. But channels in
which nothing can happen yet let their audio lie, and each ends its rest at a moment of its own.
Whoever has rested for a while says so here, and when one channel's rest is over, those that have
rested longest come along.
"""

from collections.abc import Callable
from itertools import islice

AT_ONCE = 16
"""Called together: with half of what they wait for or more, they come near filling a call."""


class Company:
    """Who would come along, in the order of asking."""

    def __init__(self) -> None:
        self._ready: dict[Callable[[], None], None] = {}

    def offer(self, come: Callable[[], None]) -> None:
        """`come` may be called, once, until it is withdrawn."""
        self._ready[come] = None

    def withdraw(self, come: Callable[[], None]) -> None:
        """It need not be called any more; one that was called is not there and is no error."""
        self._ready.pop(come, None)

    def call(self) -> None:
        """Call those who have been ready longest."""
        for come in list(islice(self._ready, AT_ONCE)):
            del self._ready[come]
            come()
