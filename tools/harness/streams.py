"""A client in a few lines, and what its events must look like."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tools.harness.process import PATIENCE_S, Server
from tools.harness.sounds import Audio

Event = dict[str, Any]


class Client:
    """One socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def start(self, audio: Audio | None = None, **fields: Any) -> None:
        """Send `start` for this audio's format; 16 kHz, 16 bits, mono when there is none."""
        await self.ask("start", format=(audio or Audio(b"")).format, **fields)

    async def ask(self, request: str, **fields: Any) -> None:
        await self.send_text(json.dumps({"request": request, **fields}))

    async def send_text(self, text: str) -> None:
        await self._connection.send(text)

    async def send(self, data: bytes, sizes: Iterable[int] = (65_536,)) -> None:
        """Send audio in messages of these sizes, over and over."""
        first = 0
        for size in itertools.cycle(sizes):
            if first >= len(data):
                return
            await self._connection.send(data[first : first + size])
            first += size

    def abort(self) -> None:
        """Vanish, without a word."""
        self._connection.transport.abort()

    async def next(self) -> Event:
        async with asyncio.timeout(PATIENCE_S):
            event: Event = json.loads(await self._connection.recv())
            return event

    async def until(self, kind: str) -> list[Event]:
        """All events up to the next one of a type, which is the last of them."""
        events = [await self.next()]
        while events[-1]["type"] != kind:
            events.append(await self.next())
        return events

    async def rest(self) -> list[Event]:
        """All events until the server closes the socket."""
        events = []
        try:
            while True:
                events.append(await self.next())
        except ConnectionClosed:
            return events

    @property
    def close_code(self) -> int | None:
        return self._connection.close_code


@asynccontextmanager
async def client(
    server: Server | int, path: str = "segmented", **headers: str
) -> AsyncIterator[Client]:
    """Connect to a server, or to a port of this machine."""
    port = server if isinstance(server, int) else server.port
    async with connect(
        f"ws://127.0.0.1:{port}/api/v1/{path}",
        additional_headers=headers,
        compression=None,
        max_queue=None,
        proxy=None,
        open_timeout=PATIENCE_S,
        close_timeout=PATIENCE_S,
    ) as connection:
        yield Client(connection)


async def hear(
    server: Server | int,
    audio: Audio,
    path: str = "segmented",
    sizes: Iterable[int] = (65_536,),
    **start: Any,
) -> list[Event]:
    """All events of one stream over a socket of its own."""
    async with client(server, path) as socket:
        await socket.start(audio, **start)
        await socket.send(audio.data, sizes)
        await socket.ask("stop", disconnect=True)
        events = await socket.rest()
    assert socket.close_code == 1000
    check_stream(events)
    assert events[-1]["audio_seconds"] == audio.seconds
    return events


def of(events: list[Event], *kinds: str, channel: int | None = None) -> list[Event]:
    """Those of some types, and of one channel."""
    chosen = [event for event in events if event["type"] in kinds]
    return [event for event in chosen if channel is None or event["channel"] == channel]


def text(events: list[Event], channel: int | None = None) -> str:
    """What the segments say."""
    return " ".join(event["text"] for event in of(events, "segment", channel=channel))


def findings(events: list[Event]) -> tuple[list[Event], list[Event]]:
    """What was found in the audio: when there was speech, and the results.

    The two run side by side, so how they interleave depends on how fast the model was.
    """
    return of(events, "active", "inactive"), of(events, "segment", "error")


def check_stream(events: list[Event]) -> None:
    """The rules of PROTOCOL.md for the events of one whole stream on `/api/v1/segmented`."""
    events = [event for event in events if event["type"] != "warning"]
    started, *within, stopped = events
    assert started["type"] == "started"
    assert stopped["type"] == "stopped"
    assert stopped["session_id"] == started["session_id"]
    assert stopped["segments"] == len(of(within, "segment"))
    assert not of(within, "started", "stopped")
    for channel in {event["channel"] for event in within if "channel" in event}:
        of_channel = [event for event in within if event.get("channel") == channel]
        if started["vad"] is None:
            _check_chunks(of_channel)
        else:
            _check_speech(of_channel, interims=started["interim_results"])


def _check_chunks(events: list[Event]) -> None:
    """One after another from 0 on, without a gap."""
    assert {event["type"] for event in events} <= {"segment", "error"}
    assert events[0]["start_time"] == 0
    for event, after in itertools.pairwise(events):
        assert event["end_time"] == after["start_time"]


def _check_speech(events: list[Event], *, interims: bool) -> None:
    """`active`, interims, `inactive` in turn; then, at any time and in order, the result."""
    owed: list[dict[str, Any]] = []
    now: dict[str, Any] | None = None
    for event in events:
        match event["type"]:
            case "active":
                assert now is None
                now = {"active": event["time"], "interims": []}
                owed.append(now)
            case "interim":
                assert interims
                assert event["is_final"] is False
                assert now is not None, "an interim outside of speech"
                now["interims"].append(event)
            case "inactive":
                assert now is not None
                now["inactive"], now = event["time"], None
            case "segment" | "error":
                found = owed.pop(0)
                start_s, end_s = event["start_time"], event["end_time"]
                assert start_s <= found["active"] < found["inactive"] <= end_s
                assert all(i["start_time"] == start_s for i in found["interims"])
                ends = [i["end_time"] for i in found["interims"]]
                assert ends == sorted(set(ends)), "interims must grow"
                assert not ends or ends[-1] <= end_s
    assert now is None
    assert not owed, "an active without a result"
