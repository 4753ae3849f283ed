"""The reading side of a connection: from bytes to events, no faster than they are taken.

Events are decoded when they are asked for, so that what is not taken yet stays in the kernels'
buffers, and TCP holds the client back. A connection that has more than can be decoded at once waits
for its turn among all (`ParserTurns`), and one that sends more events than
`limits.max_messages_per_second` is read more slowly.
"""

import asyncio
from collections.abc import Callable

from streamer.config.limits import LimitsConfig
from streamer.dialects.wyoming.codec import Event, EventDecoder
from streamer.dialects.wyoming.frames import MAX_DATA_BYTES, SESSION_EVENTS
from streamer.memory import LightEvent
from streamer.websocket.liveness import PeerWatch
from streamer.websocket.rate import TokenBucket
from streamer.websocket.signals import SlowedNotice
from streamer.websocket.turns import ParserTurns

MAX_BYTES = 65_536
"""Bytes of the line of an event, as in the package `wyoming` (the limit of asyncio's
`StreamReader`). Also of the rest of an event that needs no session: as long as a client has none,
nothing else limits how many there are."""

MAX_WAITING_BYTES = 65_536
"""Bytes that wait to be decoded, from which nothing more is read."""

TURN_EVENTS, TURN_BYTES = 8, 16_384
"""What a connection decodes in its turn: less than half a millisecond of work."""

COUNTED_BYTES = 4_096
"""Bytes of JSON that count as an event of their own: parsing takes as long."""


class IncomingEvents:
    """The events of one client.

    Args:
        limits: Of the configuration.
        turns: Shared by all connections of the port.
        gone: Set when the connection is lost, or the server ends.
        on_slowed: Called once, when the client is read more slowly.
        loop: Its timers and its clock are used.
    """

    def __init__(
        self,
        limits: LimitsConfig,
        turns: ParserTurns,
        gone: LightEvent,
        on_slowed: Callable[[SlowedNotice], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._turns = turns
        self._gone = gone
        self._on_slowed = on_slowed
        self._loop = loop
        self._transport: asyncio.Transport
        self._decoder = EventDecoder(
            MAX_BYTES, SESSION_EVENTS, MAX_DATA_BYTES, limits.max_message_bytes
        )
        self._bucket = TokenBucket(limits.max_messages_per_second)
        self._slowed = False
        self._paced_bytes = self._turn_events = self._turn_bytes = 0
        self._arrived = asyncio.Event()
        self._discarding = self._all_decoded = False
        self._watch = PeerWatch(loop, may_half_close=True)
        self.ended = False
        """Whether the client has closed its direction: it sends nothing more."""
        self.paused = False
        """Whether nothing is read, because the last events have not been taken."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait to be decoded."""
        return self._decoder.buffered

    def start(self, transport: asyncio.Transport) -> None:
        """Read from this transport."""
        self._transport = transport

    def end(self) -> None:
        """The client has closed its direction."""
        self.ended = True
        self._arrived.set()

    def stop(self) -> None:
        """`gone` is set."""
        self._watch.stop()
        self._arrived.set()

    def discard(self) -> None:
        """Decode nothing more, and drop what the client still sends."""
        self._discarding = True

    def resume(self) -> None:
        """Read on."""
        if self.paused and not self._transport.is_closing():
            self.paused = False
            self._watch.stop()
            self._transport.resume_reading()

    def feed(self, data: bytes) -> None:
        """Bytes have arrived."""
        if self._discarding:
            return
        self._decoder.feed(data)
        self._arrived.set()
        if self._decoder.buffered >= MAX_WAITING_BYTES and not self.paused:
            self.paused = True
            self._transport.pause_reading()
            self._watch.start(self._transport)

    async def next_type(self) -> str | None:
        """The type of the next event, of which the rest may be missing; None as in `next_event`.

        Raises:
            MalformedEvent: The client sends something else; there is no next one.
        """
        while self._may_come:
            if (kind := self._decoder.next_type()) is not None:
                return kind
            await self._more()
        return None

    async def next_event(self) -> Event | None:
        """The next event; None = the client is gone, or has sent all of them.

        Raises:
            MalformedEvent: The client sends something else; there is no next one.
        """
        while self._may_come:
            event = self._decoder.next_event()
            if event is not None:
                size = self._decoder.decoded_bytes - self._paced_bytes
                self._paced_bytes += size
                await self._pace(size, len(event.payload))
                return event
            await self._more()
        if self._discarding:
            await self._gone.wait()
        return None

    @property
    def _may_come(self) -> bool:
        """Whether there may be a next event."""
        return not (self._gone.is_set() or self._discarding or self._all_decoded)

    async def _more(self) -> None:
        """Wait for more bytes: those that are there are no event."""
        self._turn_events = self._turn_bytes = 0
        if self.ended:
            self._all_decoded = True
            return
        self._arrived.clear()
        self.resume()
        await self._arrived.wait()

    async def _pace(self, size: int, payload_bytes: int) -> None:
        """Wait, if this connection has had its turn, or sends more events than are read."""
        count = 1 + (size - payload_bytes) // COUNTED_BYTES
        wait_s = self._bucket.take(count, self._loop.time())
        if wait_s:
            if not self._slowed:
                self._slowed = True
                limit = "limits.max_messages_per_second"
                self._on_slowed(SlowedNotice(limit, self._bucket.per_second))
            await asyncio.sleep(wait_s)
        self._turn_events += 1
        self._turn_bytes += size
        if self._turn_events >= TURN_EVENTS or self._turn_bytes >= TURN_BYTES:
            self._turn_events = self._turn_bytes = 0
            turn = self._loop.create_future()
            self._turns.request(lambda: None if turn.done() else turn.set_result(None))
            await turn
