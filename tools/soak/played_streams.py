"""Clients that behave: they play a recording in real time, and expect every segment of it."""

import asyncio
import contextlib
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tools.harness.sounds import Audio
from tools.harness.streams import check_stream

MESSAGE_S = 0.04
TIMEOUT_S = 60.0
"""Seconds after the last message; a stream that has not ended then hangs."""

AGAIN_S = 1.0
"""Seconds between a refusal and the next attempt."""

Event = dict[str, Any]
Times = list[tuple[float, float]]
"""Of segments: start and end."""


@dataclass
class StreamTally:
    """What well-behaved streams should have got, and what they got. Times in milliseconds."""

    reference: Times
    """The segments of one whole stream."""
    sessions: int = 0
    expected: int = 0
    received: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Segments reported as lost, by the code of their error or of the one that ended the stream."""
    lost: int = 0
    """Segments that were neither delivered nor reported."""
    refused: int = 0
    """Attempts to connect answered with 503."""
    hangs: int = 0
    wrong: list[str] = field(default_factory=list)
    """Breaches of the protocol, in words."""
    event_ms: list[float] = field(default_factory=list)
    """From the sending of the audio in which speech began to `active`."""
    settled_ms: list[float] = field(default_factory=list)
    """From `inactive` to `segment` or `error`."""
    probe_ms: list[float] = field(default_factory=list)
    """From a request to its answer."""

    def count(self, events: list[Event], closed: str = "") -> None:
        """Count the events of one stream; each segment of the reference should be among them.

        Args:
            events: All that came.
            closed: How the connection ended, for the report of a breach.
        """
        results = [e for e in events if e["type"] == "segment" or "start_time" in e]
        finals = [e for e in results if e["type"] != "interim"]
        self.sessions += 1
        self.expected += len(self.reference)
        segments = [e for e in finals if e["type"] == "segment"]
        self.received += len(segments)
        self.failed.update(e["code"] for e in finals if e["type"] == "error")
        times = {(e["start_time"], e["end_time"]) for e in finals}
        missing = sum(segment not in times for segment in self.reference)
        if ended_by := [e["code"] for e in events if e["type"] == "error" and e.get("fatal")]:
            # The client was told, and knows that all later audio has no results.
            self.failed[ended_by[-1]] += missing
            return
        self.lost += missing
        own = [e for e in events if e["type"] != "error" or "start_time" in e]
        try:
            check_stream(own)
            assert times == set(self.reference), f"segments at {sorted(times)}"
        except (AssertionError, ValueError, KeyError) as breach:
            types = [e["type"] for e in events]
            self.wrong.append(f"{type(breach).__name__}: {breach}; {types}; closed with {closed}")

    def add(self, other: "StreamTally") -> None:
        """Count what another one has counted."""
        for name in ("sessions", "expected", "received", "lost", "refused", "hangs"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failed += other.failed
        self.wrong += other.wrong
        self.event_ms += other.event_ms
        self.settled_ms += other.settled_ms
        self.probe_ms += other.probe_ms


class Player:
    """Plays one recording on one socket, in real time."""

    def __init__(self, connection: ClientConnection, audio: Audio, tally: StreamTally) -> None:
        self._connection = connection
        self._audio = audio
        self._tally = tally
        self._clock = asyncio.get_running_loop().time
        self._sent_s: list[float] = []
        self._probes: list[float] = []
        self.events: list[Event] = []
        self.over = asyncio.Event()

    async def play(self, *, probe_every: int = 0) -> list[Event]:
        """Play it to the end; returns all events."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            with contextlib.suppress(ConnectionClosed):
                await self._send(probe_every)
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    await self.over.wait()
            except TimeoutError:
                self._tally.hangs += 1
                self._connection.transport.abort()
        return self.events

    async def _send(self, probe_every: int) -> None:
        send = self._connection.send
        await send(json.dumps({"request": "start", "format": self._audio.format}))
        begun_s = self._clock()
        step = round(MESSAGE_S * self._audio.sample_rate) * self._audio.bytes_per_frame
        for index, first in enumerate(range(0, len(self._audio.data), step)):
            await asyncio.sleep(begun_s + index * MESSAGE_S - self._clock())
            self._sent_s.append(self._clock())
            await send(self._audio.data[first : first + step])
            if probe_every and index % probe_every == 0:
                self._probes.append(self._clock())
                await send('{"request": "probe"}')
        await send('{"request": "stop", "disconnect": true}')

    async def _receive(self) -> None:
        ended_s: list[float] = []
        try:
            async for message in self._connection:
                event: Event = json.loads(message)
                self.events.append(event)
                now_s = self._clock()
                match event["type"]:
                    case "active":
                        index = min(math.ceil(event["time"] / MESSAGE_S), len(self._sent_s)) - 1
                        self._tally.event_ms.append(1000 * (now_s - self._sent_s[max(0, index)]))
                    case "inactive":
                        ended_s.append(now_s)
                    case "segment" | "error" if "start_time" in event and ended_s:
                        self._tally.settled_ms.append(1000 * (now_s - ended_s.pop(0)))
                    case "error" if event["code"] == "bad_message" and self._probes:
                        self._tally.probe_ms.append(1000 * (now_s - self._probes.pop(0)))
        except ConnectionClosed:
            pass
        finally:
            self.over.set()


async def play(port: int, audio: Audio, tally: StreamTally, *, probe_every: int = 0) -> list[Event]:
    """One well-behaved session, as soon as it is admitted."""
    async with await admitted(port, tally) as connection:
        events = await Player(connection, audio, tally).play(probe_every=probe_every)
    tally.count(events, f"{connection.close_code} {connection.close_reason}")
    return events


async def admitted(port: int, tally: StreamTally, path: str = "segmented") -> ClientConnection:
    """A socket; while there is no room, it is tried again."""
    while True:
        try:
            return await connect(
                f"ws://127.0.0.1:{port}/api/v1/{path}",
                compression=None,
                proxy=None,
                max_queue=None,
                ping_interval=None,
                open_timeout=TIMEOUT_S,
            )
        except InvalidStatus as refusal:
            if refusal.response.status_code != 503:
                raise
            tally.refused += 1
            await asyncio.sleep(AGAIN_S)


async def reference(port: int, audio: Audio) -> Times:
    """The segments of a recording, with nothing else going on."""
    tally = StreamTally([])
    events = await play(port, audio, tally)
    return [(e["start_time"], e["end_time"]) for e in events if e["type"] == "segment"]
