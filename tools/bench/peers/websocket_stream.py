"""A WebSocket from the load's side, with the frames of `streamer/load/`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from streamer.load.websocket_frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    client_frame,
    upgrade,
)

CONNECT_S = 30.0
"""Seconds in which a server has to answer the upgrade: it may be busy."""


class WebSocketStream:
    """An open WebSocket. Made by `open_websocket`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: bytes
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._received = received

    async def send_text(self, text: str) -> None:
        """Send one message of text."""
        await self._write(client_frame(TEXT, text.encode()))

    async def send_binary(self, data: bytes) -> None:
        """Send one binary message."""
        await self._write(client_frame(BINARY, data))

    async def texts(self) -> AsyncIterator[str]:
        """The messages of text, until the server closes the socket."""
        frames = FrameReader()
        data, self._received = self._received, b""
        with contextlib.suppress(ConnectionError):
            while True:
                for opcode, payload in frames.feed(data):
                    if opcode == TEXT:
                        yield payload.decode()
                    elif opcode == PING:
                        await self._write(client_frame(PONG, payload))
                    elif opcode == CLOSE:
                        return
                if not (data := await self._reader.read(1 << 16)):
                    return

    async def close(self) -> None:
        """End the connection without a handshake."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _write(self, frame: bytes) -> None:
        self._writer.write(frame)
        await self._writer.drain()


async def open_websocket(port: int, path: str = "/") -> WebSocketStream:
    """Connect and upgrade.

    Args:
        port: On this machine.
        path: Of the endpoint.

    Raises:
        OSError: Nothing listens there, or it is not a WebSocket.
    """
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(upgrade(f"127.0.0.1:{port}", path, None))
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := await reader.read(1 << 16)):
                    raise ConnectionError(f"port {port} closed the connection")
                head += data
            status = head.split(b"\r\n")[0].decode("latin-1")
            if " 101" not in status:
                raise ConnectionError(f"port {port} answered {status}")
        except BaseException:
            writer.close()
            raise
    return WebSocketStream(reader, writer, head.partition(b"\r\n\r\n")[2])
