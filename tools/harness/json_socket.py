"""One WebSocket whose events are JSON objects with a `type`, whatever protocol they belong to."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tools.harness.process import TIMEOUT_S, Server

Event = dict[str, Any]


def pieces(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """The data in pieces of these sizes in bytes, over and over."""
    first = 0
    for size in itertools.cycle(sizes):
        if first >= len(data):
            return
        yield data[first : first + size]
        first += size


class JsonSocket:
    """One socket.

    Attributes:
        connection: The client's.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, data: bytes, sizes: Iterable[int] = (65_536,)) -> None:
        """Send binary messages of these sizes, over and over."""
        for piece in pieces(data, sizes):
            await self.connection.send(piece)

    async def next_event(self) -> Event:
        """Wait for the next event."""
        async with asyncio.timeout(TIMEOUT_S):
            event: Event = json.loads(await self.connection.recv())
            return event

    async def events_until(self, kind: str, count: int = 1) -> list[Event]:
        """Wait for events of a type; returns all events up to the last of them."""
        events: list[Event] = []
        while sum(event["type"] == kind for event in events) < count:
            events.append(await self.next_event())
        return events

    async def events_until_close(self) -> list[Event]:
        """Wait until the server closes the socket; returns all events until then."""
        events = []
        try:
            while True:
                events.append(await self.next_event())
        except ConnectionClosed:
            return events

    @property
    def close_code(self) -> int | None:
        """The code with which the socket was closed; None = it is open."""
        return self.connection.close_code


@asynccontextmanager
async def connected(
    server: Server | int,
    path: str,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
) -> AsyncIterator[ClientConnection]:
    """A connection to a server, or to a port of this machine, without compression."""
    port = server if isinstance(server, int) else server.port
    async with connect(
        f"ws://127.0.0.1:{port}{path}",
        additional_headers=headers,
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        compression=None,
        max_queue=None,
        proxy=None,
        open_timeout=TIMEOUT_S,
        close_timeout=TIMEOUT_S,
    ) as connection:
        yield connection
