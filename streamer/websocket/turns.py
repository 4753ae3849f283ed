"""Which connection is parsed next, when several have more bytes than can be parsed at once."""

import asyncio
from collections import deque
from collections.abc import Callable


class ParserTurns:
    """First in, first out over all connections: one parser call in each turn of the event loop.

    Eight floods then delay other connections no longer than one flood does.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def request(self, parse: Callable[[], None]) -> None:
        """Have `parse` called, in the next turn of the event loop at the earliest."""
        self._waiting.append(parse)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._call_next)

    def _call_next(self) -> None:
        parse = self._waiting[0]
        try:
            parse()
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._call_next)
