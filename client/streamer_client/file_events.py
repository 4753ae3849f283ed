"""The events of a file that is sent: what `transcribe` returns."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from os import PathLike
from typing import TYPE_CHECKING, NoReturn, Self

from websockets.asyncio.client import ClientConnection

from streamer_client.connection import close_soon, close_websocket
from streamer_client.errors import StreamEnded
from streamer_client.events import Event
from streamer_client.formats import AudioFormat, ContainerFormat
from streamer_client.pacing import message_bytes
from streamer_client.stream import Stream

if TYPE_CHECKING:
    from streamer_client.audio import AudioFile

_log = logging.getLogger("streamer_client")

_ADVICE = "use 'async for event in transcribe(…):'"

OpenStream = Callable[[AudioFormat | ContainerFormat], Awaitable[tuple[ClientConnection, Stream]]]


class FileEvents:
    """Iterating sends the file, and yields the events as they come.

    The connection closes after the last event, with an exception, with `aclose`, and when a loop is
    left early and nothing refers to this object any more. It is no asynchronous generator, because
    asyncio finalises those only after it has cancelled all tasks, when the program ends: too late
    to close a connection.

    Args:
        path: Of an audio file.
        open_stream: Connects and starts a stream for audio in a format.
    """

    def __init__(self, path: str | PathLike[str], open_stream: OpenStream) -> None:
        self._path = path
        self._open_stream = open_stream
        self._files = ExitStack()
        self._websocket: ClientConnection | None = None
        self._stream: Stream | None = None
        self._audio: AudioFile | None = None
        self._blocks: Iterator[bytes] | None = None
        """Those that are still to be sent; `None` = all have been."""
        self._is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            stream = self._stream or await self._open()
            return await self._next(stream)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close the connection and the file. Iterating ends."""
        self._is_closed = True
        self._files.close()
        websocket, self._websocket = self._websocket, None
        if websocket is not None:
            await close_websocket(websocket)

    def __del__(self) -> None:
        self._files.close()
        if self._websocket is not None:
            close_soon(self._websocket)

    if not TYPE_CHECKING:  # a type checker is to see that there are no such methods

        def __await__(self) -> NoReturn:
            raise TypeError(f"transcribe(…) cannot be awaited: {_ADVICE}")

        def __iter__(self) -> NoReturn:
            raise TypeError(f"the events of transcribe(…) are not for 'for': {_ADVICE}")

        def __enter__(self) -> NoReturn:
            raise TypeError(f"transcribe(…) is not for 'with': {_ADVICE}")

        def __exit__(self, *_: object) -> None:
            pass

        async def __aenter__(self) -> NoReturn:
            raise TypeError(f"transcribe(…) is not for 'async with': {_ADVICE}")

        async def __aexit__(self, *_: object) -> None:
            pass

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"the events of transcribe(…) have no {name!r}: {_ADVICE}")

    async def _open(self) -> Stream:
        # Only files need it, and a live microphone's process should stay small.
        from streamer_client.audio import open_audio

        self._audio = audio = self._files.enter_context(open_audio(self._path))
        self._websocket, self._stream = await self._open_stream(audio.format)
        self._blocks = audio.blocks(message_bytes(audio.format, live=False))
        return self._stream

    async def _next(self, stream: Stream) -> Event:
        while self._blocks is not None:
            if (event := await stream.poll()) is not None:
                return event
            await self._send_block(stream, self._blocks)
        return await anext(stream)

    async def _send_block(self, stream: Stream, blocks: Iterator[bytes]) -> None:
        block = next(blocks, None)
        # Iterating the stream raises the reason, after the events that came before.
        with suppress(StreamEnded):
            if block is not None:
                await stream.send(block)
                return
            await stream.stop()
        self._blocks = None
        for warning in self._audio.warnings if self._audio else ():
            _log.warning("%s: %s", self._path, warning)
