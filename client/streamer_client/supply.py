"""Audio on its way from a source to the server, which may have to be sent again."""

import asyncio
from contextlib import aclosing
from typing import Protocol

from streamer_client.errors import StreamerError
from streamer_client.sources import Source

KEEP_S = 60.0
"""So much of a live source is kept, to be sent after a lost connection."""


class Supply(Protocol):
    """What is to be sent, in order; after a lost connection some of it once more."""

    @property
    def position_bytes(self) -> int:
        """Where in the source the next chunk begins."""

    async def take(self) -> bytes:
        """Return the next chunk, nothing at the end.

        Raises:
            AudioFileError: the source cannot be read.
        """

    def rewind(self, position_bytes: int) -> None:
        """Go back; no further than the audio is still there."""

    async def fill(self) -> None:
        """Take from the source what comes by itself; runs beside all else."""

    def set_offline(self, offline: bool) -> None:
        """Say whether anybody takes chunks at the moment."""


class Recording:
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
        """Go back to where one likes."""
        self.position_bytes = position_bytes
        self._rewound = True

    async def fill(self) -> None:
        """Nothing comes by itself."""

    def set_offline(self, offline: bool) -> None:
        """A recording waits."""


class Tape:
    """The last of a source that cannot be read again: `keep_s` seconds, sent or not.

    While there is nobody to take chunks, a live source goes on, and the oldest audio is given up.
    Any other source is made to wait.
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
        """Return what there is of the next chunk as soon as there is some, nothing at the end."""
        while not (chunk := self._next()):
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return b""
            await self._change()
        self.position_bytes += len(chunk)
        self._announce()
        return chunk

    def rewind(self, position_bytes: int) -> None:
        """Go back as far as the tape reaches."""
        self.position_bytes = max(position_bytes, self._begin_bytes)

    async def fill(self) -> None:
        """Record until the source ends."""
        try:
            async with aclosing(self._source.chunks(self._chunk_bytes)) as chunks:
                async for chunk in chunks:
                    self._kept += chunk
                    self._announce()
                    while self._trim() > self._keep_bytes:
                        await self._change()
        except StreamerError as error:
            self._failure = error
        self._ended = True
        self._announce()

    def set_offline(self, offline: bool) -> None:
        """While nobody listens, a live source runs on."""
        self._offline = offline
        self._announce()

    def _next(self) -> bytes:
        first = self.position_bytes - self._begin_bytes
        return bytes(self._kept[first : first + self._chunk_bytes])

    def _trim(self) -> int:
        """Give up the oldest audio that may be; returns how many bytes are left."""
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

    def _announce(self) -> None:
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
