"""What waits to be sent on a socket, in order."""

import asyncio
from collections import deque

from streamer.observe.monitor import Monitor
from streamer.protocol.actions import Close
from streamer.protocol.messages import Event, Failed, Warned

MAX_WAITING = 256
"""Events that may wait before those who make them are held up."""


class Outbox:
    """Events for the writer of the socket.

    `post` never waits, so that events which belong together cannot be torn apart. Whoever makes
    events awaits `drained` before it makes more.

    Args:
        monitor: Told of errors and warnings.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._items: deque[Event | Close] = deque()
        self._warned: set[str] = set()
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def post(self, item: Event | Close) -> None:
        """Append an event, or the end."""
        if isinstance(item, Failed):
            self._monitor.error(item.code)
        elif isinstance(item, Warned):
            self._monitor.warning(item.code)
        self._items.append(item)
        self._filled.set()
        if len(self._items) >= MAX_WAITING:
            self._roomy.clear()

    def warn_once(self, warning: Warned) -> None:
        """Append a warning, unless one of its code has been sent on this socket."""
        if warning.code not in self._warned:
            self._warned.add(warning.code)
            self.post(warning)

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return len(self._items) >= MAX_WAITING

    async def drained(self) -> None:
        """Wait until there is room for more."""
        await self._roomy.wait()

    async def get(self) -> Event | Close:
        """The next to send."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        if len(self._items) < MAX_WAITING:
            self._roomy.set()
        return item
