"""A connection that speaks Wyoming, without its package."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import Audio


class Event(NamedTuple):
    """One event of the server."""

    type: str
    data: Mapping[str, Any]


def with_port(config: Mapping[str, Any], **wyoming: Any) -> dict[str, Any]:
    """A configuration with a free port for Wyoming."""
    port = free_port()
    return {**config, "wyoming": {"port": port, **wyoming}}


def port_of(server: Server) -> int:
    """The port for Wyoming of a server."""
    (address,) = server.get("/api/v1/info").json()["dialects"]["wyoming"]
    return int(address.rsplit(":", 1)[1])


def audio_data(audio: Audio) -> dict[str, int]:
    """What events say of audio."""
    width = audio.bit_depth // 8
    return {"rate": audio.sample_rate, "width": width, "channels": audio.channels}


class Connection:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, kind: str, data: Mapping[str, Any] = {}, payload: bytes = b"") -> None:
        """Send an event as the wyoming package does."""
        text = json.dumps(data, ensure_ascii=False).encode() if data else b""
        header = {"type": kind, "version": "1.10.2"}
        lengths = {"data_length": len(text)} | ({"payload_length": len(payload)} if payload else {})
        line = json.dumps({**header, **(lengths if data else {})})
        await self.send_bytes(line.encode() + b"\n" + text + payload)

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def start(self, audio: Audio) -> None:
        """Begin a command."""
        await self.send("audio-start", {**audio_data(audio), "timestamp": None})

    async def chunks(
        self, audio: Audio, data: bytes | None = None, sizes: Iterable[int] = (2_048,)
    ) -> None:
        """Send audio in chunks of these sizes, over and over."""
        data, first = audio.data if data is None else data, 0
        for size in itertools.cycle(sizes):
            if first >= len(data):
                return
            payload = data[first : first + size]
            await self.send("audio-chunk", {**audio_data(audio), "timestamp": 0}, payload)
            first += size

    async def command(self, audio: Audio, sizes: Iterable[int] = (2_048,)) -> None:
        """Send a whole command."""
        await self.start(audio)
        await self.chunks(audio, sizes=sizes)
        await self.send("audio-stop", {"timestamp": None})

    async def next_event(self) -> Event | None:
        """Wait for the next event; None = the server has closed the connection."""
        line = await self._reader.readline()
        if not line:
            return None
        header = json.loads(line)
        data = json.loads(await self._reader.readexactly(header.get("data_length", 0)) or b"{}")
        return Event(header["type"], data)

    async def until(self, kind: str) -> list[Event]:
        """Wait for an event of a type; returns all events up to and including it."""
        found: list[Event] = []
        while not found or found[-1].type != kind:
            event = await self.next_event()
            assert event is not None, f"closed after {found}"
            found.append(event)
        return found

    async def until_close(self) -> list[Event]:
        """Wait until the server closes the connection; returns all events until then."""
        found = []
        while (event := await self.next_event()) is not None:
            found.append(event)
        return found

    def abort(self) -> None:
        """End the connection at once."""
        self.writer.transport.abort()


@asynccontextmanager
async def connected(server: Server | int) -> AsyncIterator[Connection]:
    """Connect to a server, or to a port of this machine."""
    port = server if isinstance(server, int) else port_of(server)
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Connection(reader, writer)
        finally:
            writer.transport.abort()


def kinds(events: Iterable[Event]) -> list[str]:
    """Their types."""
    return [event.type for event in events]


def without_voice(events: Iterable[Event]) -> list[Event]:
    """The events about text alone, without those about speech."""
    return [event for event in events if not event.type.startswith("voice-")]


def transcripts(events: Iterable[Event]) -> list[str]:
    """The texts of all transcripts among them."""
    return [event.data["text"] for event in events if event.type == "transcript"]
