"""Standard input as bytes that arrive: looked at first, then read."""

import asyncio
import os
import stat
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from typing import BinaryIO

READ_BYTES = 65_536
"""Bytes that are read at a time, at most."""


class Pipe:
    """Bytes that arrive; what has arrived is passed on at once, for it may be live.

    Args:
        read: Waits for at least one byte, and returns at most as many as asked for; none at the
            end.
        close: Ends the waiting of `read`, as if the end had come.
    """

    def __init__(self, read: Callable[[int], Awaitable[bytes]], close: Callable[[], None]) -> None:
        self._read = read
        self.close = close
        self._loop = asyncio.get_running_loop()
        self.head = b""
        """What has been looked at and not read yet."""
        self.ended = False

    @classmethod
    async def open(cls, file: BinaryIO) -> "Pipe":
        """Open standard input, or another file."""
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):

            async def read(count: int) -> bytes:
                return file.read(count)

            return cls(read, lambda: None)
        if sys.platform == "win32":  # its event loop waits only for pipes that it has made
            return cls.read_by_threads(file)
        else:  # noqa: RET505 – what follows is not for Windows, as type checkers see here
            reader = asyncio.StreamReader(limit=READ_BYTES)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), file
            )
            return cls(reader.read, transport.close)

    @classmethod
    def read_by_threads(cls, file: BinaryIO) -> "Pipe":
        """Open a pipe whose bytes a thread waits for. Closing it does not end that waiting."""

        async def read(count: int) -> bytes:
            return await asyncio.to_thread(os.read, file.fileno(), count)

        return cls(read, lambda: None)

    async def look(self) -> None:
        """Wait for more bytes behind `head`."""
        data = await self._read(READ_BYTES)
        self.head += data
        self.ended = not data

    async def look_at(self, count: int) -> bytes:
        """Return the next `count` bytes without reading them; fewer only at the end."""
        while len(self.head) < count and not self.ended:
            await self.look()
        return self.head[:count]

    async def read(self, count: int) -> bytes:
        """Wait for at least one byte, and return at most `count`; none at the end."""
        if self.head:
            data, self.head = self.head[:count], self.head[count:]
            return data
        data = b"" if self.ended else await self._read(count)
        self.ended = not data
        return data

    async def skip(self, count: int) -> None:
        """Read bytes that are not needed."""
        while count and (data := await self.read(min(count, READ_BYTES))):
            count -= len(data)

    def put_back(self, data: bytes) -> None:
        """Have these bytes read before all others."""
        self.head = data + self.head

    def read_from_thread(self, count: int) -> bytes:
        """The same as `read`, for another thread than the loop's."""
        try:
            return asyncio.run_coroutine_threadsafe(self.read(count), self._loop).result()
        except CancelledError:
            return b""
