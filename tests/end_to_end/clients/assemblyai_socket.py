"""A socket that speaks AssemblyAI's live protocol, without its package."""

import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import Audio

Message = dict[str, Any]


class Session:
    """One socket.

    Attributes:
        connection: The client's.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, data: bytes, sizes: Iterable[int] = (65_536,)) -> None:
        """Send audio in messages of these sizes, over and over."""
        first = 0
        for size in itertools.cycle(sizes):
            if first >= len(data):
                return
            await self.connection.send(data[first : first + size])
            first += size

    async def control(self, kind: str, **fields: Any) -> None:
        """Send a control message."""
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str) -> list[Message]:
        """Wait for a message of a type; returns all messages up to and including it."""
        found: list[Message] = [json.loads(await self.connection.recv())]
        while found[-1]["type"] != kind:
            found.append(json.loads(await self.connection.recv()))
        return found

    async def until_close(self) -> list[Message]:
        """Wait until the server closes the socket; returns all messages until then."""
        found = []
        try:
            while True:
                found.append(json.loads(await self.connection.recv()))
        except ConnectionClosed:
            return found

    @property
    def closed(self) -> tuple[int | None, str | None]:
        """Code and reason with which the socket was closed."""
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def session(
    server: Server, options: Mapping[str, str], key: str | None = None
) -> AsyncIterator[Session]:
    """Connect, with options in the query."""
    async with connect(
        f"ws://127.0.0.1:{server.port}/v3/ws?{urlencode(options)}",
        additional_headers={"Authorization": key} if key else None,
        compression=None,
        max_queue=None,
        proxy=None,
        open_timeout=TIMEOUT_S,
        close_timeout=TIMEOUT_S,
    ) as connection:
        yield Session(connection)


async def streamed(
    server: Server, audio: Audio, sizes: Iterable[int] = (65_536,), **options: str
) -> list[Message]:
    """Stream audio over a new socket until the server closes it; returns all messages."""
    encoding = {"pcm": "pcm_s16le", "mulaw": "pcm_mulaw"}[audio.encoding]
    described = {"sample_rate": str(audio.sample_rate), "encoding": encoding}
    async with session(server, {**described, **options}) as socket:
        await socket.send(audio.data, sizes)
        await socket.control("Terminate")
        found = await socket.until_close()
    assert socket.closed == (1000, "")
    assert (found[0]["type"], found[-1]["type"]) == ("Begin", "Termination")
    assert found[-1]["audio_duration_seconds"] == round(audio.seconds)
    return found


def ended(messages: list[Message]) -> list[Message]:
    """The turns that have ended."""
    return [each for each in messages if each["type"] == "Turn" and each["end_of_turn"]]


def transcript(messages: list[Message]) -> str:
    """The text of all turns."""
    return " ".join(filter(None, (turn["transcript"] for turn in ended(messages))))
