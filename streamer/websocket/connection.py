"""uvicorn's WebSocket protocol, with what a streaming server needs besides.

How it reads is in `streamer.websocket_reading`. And:

- **Keepalive rests while reading is paused.** Back-pressure leaves the client's pongs unread in
  the kernel, and a healthy client would be closed with 1011 for not answering.
- **A connection can be cut off**, and one that closes is cut off after a while. Closing waits
  until everything is written, which a client that does not read can delay for ever.
- **The loss of a connection is known.** ASGI tells only whoever is receiving, and a reader that is
  held up by back-pressure is not; and while nothing is read, the kernel tells only who asks it.
- **A client that sends pings and does not read the pongs** is cut off; they would pile up.
"""

import asyncio
import functools
from collections.abc import MutableMapping
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected

from streamer.config.schema import LimitsConfig
from streamer.websocket.channel import ABORT, GONE, LISTEN
from streamer.websocket.reading import ReadingProtocol
from streamer.websocket.turns import Turns

LINGER_S = 5.0
"""A connection that is being closed has this long to take what was written."""


class StreamingProtocol(ReadingProtocol):
    """The protocol class for `uvicorn.Config(ws=…)`, as `limited` makes it."""

    def keepalive_timeout(self) -> None:
        """A pong is missing: only a client whose pongs are being read can be blamed."""
        if self.read_paused or self._deaf:
            self.pong_timer = None
            self.pending_ping_payload = None
            self.schedule_ping()
        else:
            super().keepalive_timeout()

    @functools.cached_property
    def gone(self) -> asyncio.Event:
        """Set when the connection is lost, or the server shuts down."""
        return asyncio.Event()

    async def run_asgi(self) -> None:
        """Run the application; then the connection ends, whether its client reads or not."""
        scope = cast("MutableMapping[str, Any]", self.scope)
        scope[ABORT] = self.transport.abort
        scope[GONE] = self.gone
        scope[LISTEN] = self._listen
        try:
            await super().run_asgi()
        finally:
            # When the client's own close is not heard any more, its end of the connection is.
            if self._deaf and not self.transport.is_closing() and self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(LINGER_S, self.transport.abort)

    async def send(self, message: ASGISendEvent) -> None:
        """Send, while that is possible.

        uvicorn takes a socket that the protocol has closed for a mistake of the application, and
        a refusal, once it is complete, for a handshake that is not.
        """
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self.gone.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        self.gone.set()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def handle_ping(self) -> None:
        """Answer, unless earlier answers still wait to be read."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()


def limited(to: LimitsConfig) -> type[StreamingProtocol]:
    """The protocol class with these limits."""

    class Limited(StreamingProtocol):
        limits = to
        turns = Turns()

    return Limited
