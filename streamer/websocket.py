"""uvicorn's WebSocket protocol, with what a streaming server needs besides.

- **Keepalive rests while reading is paused.** Back-pressure leaves the client's pongs unread in
  the kernel, and a healthy client would be closed with 1011 for not answering.
- **A connection can be cut off**, and one that closes is cut off after a while. Closing waits
  until everything is written, which a client that does not read can delay for ever.
- **The loss of a connection is known at once.** ASGI tells only whoever is receiving, and a reader
  that is held up by back-pressure is not.
- **A client that sends pings and does not read the pongs** is cut off; they would pile up.
"""

import asyncio
import functools
from collections.abc import Callable, MutableMapping
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ABORT, GONE = "streamer.abort", "streamer.gone"
"""Keys in the ASGI scope, for `abort_of` and `gone_of`."""

LINGER_S = 5.0
"""A connection that is being closed has this long to take what was written."""


class StreamingProtocol(WebSocketsSansIOProtocol):
    """The protocol class for `uvicorn.Config(ws=…)`."""

    def keepalive_timeout(self) -> None:
        """A pong is missing: only a client whose pongs are being read can be blamed."""
        if self.read_paused:
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
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(LINGER_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self.gone.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        self.gone.set()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def send_receive_event_to_app(self) -> None:
        """Hand over a message; text that is not UTF-8 ends the connection, as RFC 6455 wants."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer, unless earlier answers still wait to be read."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()


def abort_of(scope: MutableMapping[str, Any]) -> Callable[[], None]:
    """What cuts a socket's connection off at once, dropping whatever is not yet written."""
    abort: Callable[[], None] = scope.get(ABORT, lambda: None)
    return abort


def gone_of(scope: MutableMapping[str, Any]) -> asyncio.Event:
    """Set when a socket's connection is lost, or the server shuts down."""
    gone: asyncio.Event = scope.get(GONE) or asyncio.Event()
    return gone
