"""Events that wait to be sent to one client, in order."""

from collections import deque

from streamer.memory import LightEvent
from streamer.observe.monitor import Monitor
from streamer.protocol.actions import Outgoing
from streamer.protocol.events import ErrorEvent, WarningEvent

MAX_WAITING = 256
"""Events that may wait before their makers have to pause."""


class Outbox:
    """Events for one writer.

    `post` never waits, so that events which belong together stay together. Those who make events
    await `drained` before they make more.

    Args:
        monitor: Receives errors and warnings.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._items: deque[Outgoing] = deque()
        self._warned: set[str] = set()
        """Codes of `warn_once`."""
        self._filled = LightEvent()
        self._roomy = LightEvent()
        self._roomy.set()

    def post(self, item: Outgoing) -> None:
        """Append an event, a dialect's own answer, or the end."""
        if isinstance(item, ErrorEvent):
            self._monitor.error(item.code)
        elif isinstance(item, WarningEvent):
            self._monitor.warning(item.code)
        self._items.append(item)
        self._filled.set()
        if len(self._items) >= MAX_WAITING:
            self._roomy.clear()

    def warn_once(self, warning: WarningEvent) -> bool:
        """Append a warning, unless this was called with its code before; return whether it was."""
        if warning.code in self._warned:
            return False
        self._warned.add(warning.code)
        self.post(warning)
        return True

    @property
    def full(self) -> bool:
        """Whether `MAX_WAITING` events wait."""
        return len(self._items) >= MAX_WAITING

    async def drained(self) -> None:
        """Wait until fewer than `MAX_WAITING` events wait."""
        await self._roomy.wait()

    async def get(self) -> Outgoing:
        """Take the next event; waits until there is one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        if len(self._items) < MAX_WAITING:
            self._roomy.set()
        return item
