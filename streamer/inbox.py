"""What has arrived on a socket and waits to be processed, in order, bounded in bytes."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

Command = TypeVar("Command")


class Inbox(Generic[Command]):
    """Commands and audio, in the order of their arrival.

    `put_audio` waits while `max_bytes` of audio are held; the reader of the socket then does not
    read on, and TCP slows the client down. Audio that lies side by side is taken as one block, so
    that a backlog costs one pass through the pipeline instead of one for each message.

    Args:
        max_bytes: Audio held before `put_audio` waits.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[Command | list[bytes]] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def put(self, command: Command) -> None:
        """Append a command."""
        self._items.append(command)
        self._filled.set()

    async def put_audio(self, audio: bytes) -> None:
        """Append audio, once there is room."""
        await self._roomy.wait()
        self._bytes += len(audio)
        if self._bytes >= self._max_bytes:
            self._roomy.clear()
        last = self._items[-1] if self._items else None
        if isinstance(last, list):
            last.append(audio)
        else:
            self._items.append([audio])
        self._filled.set()

    async def get(self) -> Command | bytes:
        """The next command, or all the audio up to the next command as one block."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        if not isinstance(item, list):
            return item
        block = item[0] if len(item) == 1 else b"".join(item)
        self._bytes -= len(block)
        if self._bytes < self._max_bytes:
            self._roomy.set()
        return block
