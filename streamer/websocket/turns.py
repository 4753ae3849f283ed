"""Whose bytes are parsed next, when there is more than can be parsed at once."""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """One in each turn of the event loop, whoever asked, in the order of asking.

    Eight floods then delay the others by as much as one does.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def ask(self, parse: Callable[[], None]) -> None:
        """Have it called, not before the next turn of the event loop."""
        self._waiting.append(parse)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        parse = self._waiting[0]
        try:
            parse()
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._next)
