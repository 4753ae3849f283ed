"""A deque, a count, and two events."""

import asyncio
from collections import deque


class ByteInbox:
    """Waits first, and takes then."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._messages: deque[bytes] = deque()
        self._held_bytes = 0
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    @property
    def held_bytes(self) -> int:
        """The count."""
        return self._held_bytes

    def put(self, message: bytes) -> None:
        """Append and count."""
        self._messages.append(message)
        self._count(len(message))
        self._filled.set()

    async def wait_for_room(self) -> None:
        """Wait for the event."""
        await self._roomy.wait()

    async def get(self) -> bytes:
        """Wait in a loop; there is no `await` behind it."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        message = self._messages.popleft()
        self._count(-len(message))
        return message

    def _count(self, size: int) -> None:
        self._held_bytes += size
        if self._held_bytes >= self._max_bytes:
            self._roomy.clear()
        else:
            self._roomy.set()
