"""A client of vosk-server, which sends what a test wants it to."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tools.harness.json_socket import Event, JsonSocket, connected
from tools.harness.process import Server

EOF, RESET = '{"eof" : 1}', '{"reset" : 1}'


class Recognizer(JsonSocket):
    """One socket, on which each message of audio has one reply."""

    async def config(self, **settings: Any) -> None:
        """Send settings; there is no reply."""
        await self.connection.send(json.dumps({"config": settings}))

    async def ask(self, frame: str | bytes) -> Event:
        """Send a piece of audio or a request, and wait for the reply."""
        await self.connection.send(frame)
        return await self.next_event()

    @property
    def closed(self) -> tuple[int | None, str | None]:
        """Code and reason with which the socket was closed."""
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def recognizer(
    server: Server | int, path: str = "/vosk", sample_rate: float | None = 16_000.0
) -> AsyncIterator[Recognizer]:
    """Connect to a server, or to a port of this machine, and send the sample rate."""
    async with connected(server, path) as connection:
        socket = Recognizer(connection)
        if sample_rate is not None:
            await socket.config(sample_rate=sample_rate)
        yield socket


def pieces(data: bytes, size: int = 6_400) -> list[bytes]:
    """Audio in pieces of this size."""
    return [data[first : first + size] for first in range(0, len(data), size)]


def text_of(replies: list[Event]) -> str:
    """The texts of all replies."""
    return " ".join(reply["text"] for reply in replies if reply.get("text"))
