"""uvicorn's WebSocket protocol, with two things a streaming server needs.

- **Keepalive rests while reading is paused.** Back-pressure leaves the client's pongs unread in
  the kernel, and a healthy client would be closed with 1011 for not answering.
- **A connection can be cut off.** Closing waits until everything is written, which a client that
  does not read can delay for ever.
"""

from collections.abc import Callable, MutableMapping
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ABORT = "streamer.abort"
"""Key in the ASGI scope under which `abort_of` finds the way to cut the connection off."""


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

    async def run_asgi(self) -> None:
        """Run the application, with a way to cut the connection off."""
        scope = cast("MutableMapping[str, Any]", self.scope)
        scope[ABORT] = self.transport.abort
        await super().run_asgi()


def abort_of(scope: MutableMapping[str, Any]) -> Callable[[], None]:
    """What cuts a socket's connection off at once, dropping whatever is not yet written."""
    abort: Callable[[], None] = scope.get(ABORT, lambda: None)
    return abort
