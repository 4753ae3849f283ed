"""Audio on its way from a source to the server, which may have to be sent again."""

import asyncio
from contextlib import aclosing
from typing import Protocol

from streamer_client.audio_sources import Source
from streamer_client.errors import StreamerError

KEEP_S = 60.0
"""Seconds of a live source that are kept, to be sent again after a lost connection."""


class Supply(Protocol):
    """Audio in the order of sending; after a lost connection, a part of it is sent again."""

    @property
    def position_bytes(self) -> int:
        """Offset of the next chunk in the source."""

    async def take(self) -> bytes:
        """Return the next chunk, nothing at the end.

        Raises:
            AudioFileError: the source cannot be read.
        """

    def rewind(self, position_bytes: int) -> None:
        """Go back to an offset, or to the oldest audio that is still there."""

    async def fill(self) -> None:
        """Read a source that cannot wait; runs as a task of its own."""

    def set_offline(self, offline: bool) -> None:
        """Set whether there is no connection at the moment, so that no chunks are taken."""


class RewindableSupply:
    """A source that can be read again from its beginning."""

    def __init__(self, source: Source, chunk_bytes: int) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        self._chunks = source.chunks(chunk_bytes)
        self._rewound = False
        self.position_bytes = 0

    async def take(self) -> bytes:
        """Return the next chunk, nothing at the end."""
        if self._rewound:
            self._rewound = False
            await self._chunks.aclose()
            self._chunks = self._source.chunks(self._chunk_bytes)
            skip_bytes = self.position_bytes
            while skip_bytes and (chunk := await anext(self._chunks, b"")):
                if len(chunk) > skip_bytes:
                    self.position_bytes += len(chunk) - skip_bytes
                    return chunk[skip_bytes:]
                skip_bytes -= len(chunk)
        chunk = await anext(self._chunks, b"")
        self.position_bytes += len(chunk)
        return chunk

    def rewind(self, position_bytes: int) -> None:
        """Go back to any offset."""
        self.position_bytes = position_bytes
        self._rewound = True

    async def fill(self) -> None:
        """Do nothing: a recording waits."""

    def set_offline(self, offline: bool) -> None:
        """Do nothing: a recording waits."""


class ReplayBuffer:
    """The last `keep_s` seconds of a source that cannot be read again, sent or not.

    Without a connection, a live source continues, and the oldest audio is dropped. Any other
    source has to wait.
    """

    def __init__(self, source: Source, chunk_bytes: int, keep_s: float = KEEP_S) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        self._keep_bytes = source.format.block_bytes(keep_s)
        self._kept = bytearray()
        self._begin_bytes = 0
        self._offline = False
        self._ended = False
        self._failure: StreamerError | None = None
        self._changed = asyncio.Event()
        self.position_bytes = 0

    async def take(self) -> bytes:
        """Wait for audio and return at most one chunk of it, nothing at the end."""
        while not (chunk := self._next()):
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return b""
            await self._wait_for_change()
        self.position_bytes += len(chunk)
        self._notify()
        return chunk

    def rewind(self, position_bytes: int) -> None:
        """Go back to an offset, or to the oldest audio that is kept."""
        self.position_bytes = max(position_bytes, self._begin_bytes)

    async def fill(self) -> None:
        """Record until the source ends."""
        try:
            async with aclosing(self._source.chunks(self._chunk_bytes)) as chunks:
                async for chunk in chunks:
                    self._kept += chunk
                    self._notify()
                    while self._trim() > self._keep_bytes:
                        await self._wait_for_change()
        except StreamerError as error:
            self._failure = error
        self._ended = True
        self._notify()

    def set_offline(self, offline: bool) -> None:
        """Set whether a live source may push out audio that was not sent yet."""
        self._offline = offline
        self._notify()

    def _next(self) -> bytes:
        first = self.position_bytes - self._begin_bytes
        return bytes(self._kept[first : first + self._chunk_bytes])

    def _trim(self) -> int:
        """Drop the oldest audio that may be dropped; returns the number of bytes that are left."""
        excess_bytes = len(self._kept) - self._keep_bytes
        if not (self._offline and self._source.live):
            excess_bytes = min(excess_bytes, self.position_bytes - self._begin_bytes)
        if excess_bytes > 0:
            frame_bytes = self._source.format.frame_bytes
            excess_bytes += -excess_bytes % frame_bytes
            del self._kept[:excess_bytes]
            self._begin_bytes += excess_bytes
            self.position_bytes = max(self.position_bytes, self._begin_bytes)
        return len(self._kept)

    def _notify(self) -> None:
        self._changed.set()

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
