"""A socket that speaks Deepgram's live protocol, without any of its SDKs."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from tools.harness.json_socket import JsonSocket, connected
from tools.harness.process import Server
from tools.harness.sounds import Audio

Message = dict[str, Any]

ENCODINGS = {
    ("pcm", 16, False): "linear16",
    ("pcm", 32, True): "linear32",
    ("mulaw", 8, False): "mulaw",
    ("alaw", 8, False): "alaw",
}


def described(audio: Audio) -> dict[str, str]:
    """The options that describe raw audio."""
    return {
        "encoding": ENCODINGS[audio.encoding, audio.bit_depth, audio.is_float],
        "sample_rate": str(audio.sample_rate),
        "channels": str(audio.channels),
    }


class Listening(JsonSocket):
    """One socket of Deepgram's protocol."""

    async def control(self, kind: str, **fields: Any) -> None:
        """Send a control message."""
        await self.connection.send(json.dumps({"type": kind, **fields}))

    @property
    def closed(self) -> tuple[int | None, str | None]:
        """Code and reason with which the socket was closed."""
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def listening(
    server: Server | int,
    options: Mapping[str, str],
    *,
    path: str = "/v1/listen",
    subprotocols: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Listening]:
    """Connect to a server, or to a port of this machine, with options in the query."""
    address = f"{path}?{urlencode(options)}"
    async with connected(server, address, headers, subprotocols) as connection:
        yield Listening(connection)


async def listened(
    server: Server | int,
    audio: Audio,
    options: Mapping[str, str],
    sizes: Iterable[int] = (65_536,),
) -> list[Message]:
    """Stream audio over a new socket until the server closes it; returns all messages."""
    async with listening(server, {**described(audio), **options}) as socket:
        await socket.send(audio.data, sizes)
        await socket.control("CloseStream")
        found = await socket.events_until_close()
    assert socket.closed == (1000, "")
    assert found[-1]["type"] == "Metadata"
    assert found[-1]["duration"] == round(audio.seconds, 3)
    return found


def finals(messages: list[Message], channel: int = 0) -> list[Message]:
    """The final results of a channel."""
    return [
        message
        for message in messages
        if message["type"] == "Results"
        and message["is_final"]
        and message["channel_index"][0] == channel
    ]


def said(message: Message) -> dict[str, Any]:
    """The transcript of a result, with its words."""
    (alternative,) = message["channel"]["alternatives"]
    found: dict[str, Any] = alternative
    return found


def transcript(messages: list[Message], channel: int = 0) -> str:
    """The text of all final results of a channel."""
    texts = (said(message)["transcript"] for message in finals(messages, channel))
    return " ".join(filter(None, texts))
