"""A small client of `/v1/realtime`, which sends what a test wants it to."""

import base64
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection

from tools.harness.json_socket import Event, JsonSocket, connected, pieces
from tools.harness.process import Server
from tools.harness.sounds import Audio, silence

TRANSCRIPTION = "conversation.item.input_audio_transcription"
DELTA, COMPLETED, FAILED = (f"{TRANSCRIPTION}.{kind}" for kind in ("delta", "completed", "failed"))
COMMITTED = "input_audio_buffer.committed"

ENCODINGS = {"pcm": "audio/pcm", "mulaw": "audio/pcmu", "alaw": "audio/pcma"}


class Realtime(JsonSocket):
    """One socket, whose session has been created."""

    def __init__(self, connection: ClientConnection) -> None:
        super().__init__(connection)
        self.created: Event = {}

    async def request(self, kind: str, **fields: Any) -> None:
        """Send a message of this type."""
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def update(self, **audio_input: Any) -> list[Event]:
        """Change settings of the audio; returns all events up to the answer."""
        session = {"type": "transcription", "audio": {"input": audio_input}}
        await self.request("session.update", session=session)
        return await self.events_until("session.updated")

    async def use(self, audio: Audio, **audio_input: Any) -> None:
        """Announce the format of some audio, and further settings."""
        encoding: dict[str, Any] = {"type": ENCODINGS[audio.encoding]}
        if audio.encoding == "pcm":
            encoding["rate"] = audio.sample_rate
        await self.update(format=encoding, **audio_input)

    async def append(self, data: bytes, sizes: Iterable[int] = (9_600,)) -> None:
        """Send audio, in pieces of these sizes, over and over."""
        for piece in pieces(data, sizes):
            audio = base64.b64encode(piece).decode()
            await self.request("input_audio_buffer.append", audio=audio)


@asynccontextmanager
async def realtime(
    server: Server | int,
    query: str = "?intent=transcription",
    subprotocols: Iterable[str] = (),
    **headers: str,
) -> AsyncIterator[Realtime]:
    """Connect to a server, or to a port of this machine."""
    address = f"/v1/realtime{query}"
    async with connected(server, address, headers, [*subprotocols]) as connection:
        socket = Realtime(connection)
        socket.created = await socket.next_event()
        yield socket


def ended_by_silence(audio: Audio) -> Audio:
    """The audio, and a second of silence that ends its last segment."""
    quiet = silence(1, audio.sample_rate).data
    if audio.encoding != "pcm":
        quiet = b"\xff" * audio.sample_rate
    return Audio(audio.data + quiet, audio.sample_rate, 1, audio.bit_depth, encoding=audio.encoding)


def named(events: list[Event], *kinds: str) -> list[Event]:
    """The events of some types."""
    return [event for event in events if event["type"] in kinds]


def texts(events: list[Event]) -> list[str]:
    """The transcripts, in order."""
    return [event["transcript"] for event in named(events, COMPLETED)]
