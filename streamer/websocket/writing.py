"""How a connection is written to: the answer to the upgrade request, messages, and the end.

Closing waits until everything is written, which a client that does not read can delay for ever. A
connection that is being closed is therefore cut off after LINGER_S.
"""

import asyncio
import enum
from collections.abc import Callable

from websockets.frames import CloseCode
from websockets.http11 import Response
from websockets.protocol import State

from streamer.memory import LightEvent
from streamer.websocket.keepalive import Keepalive
from streamer.websocket.message_queue import MessageQueue
from streamer.websocket.protocol_core import Core
from streamer.websocket.signals import PongNotice

LINGER_S = 5.0
"""Seconds in which a connection that is being closed has to take what was written, and to answer
the close frame."""


class Phase(enum.Enum):
    """How far a connection is."""

    HANDSHAKE = enum.auto()
    """The upgrade request is not answered yet."""
    OPEN = enum.auto()
    """Messages may be sent."""
    CLOSED = enum.auto()
    """Nothing more is sent: the server has refused or closed, the client has, or it is lost."""


class OutputWriter:
    """The output side of one connection.

    Args:
        core: Makes the frames.
        messages: The end of the connection is added to it.
        loop: Its timers are used.
        ping_interval_s: Seconds between pings; None = no pings.
        ping_timeout_s: Seconds in which a pong has to arrive; None = any time.
        pongs_are_read: Whether what the client sends is read and parsed now.
        on_open: Called after the client was accepted.
    """

    def __init__(
        self,
        core: Core,
        messages: MessageQueue,
        *,
        loop: asyncio.AbstractEventLoop,
        ping_interval_s: float | None,
        ping_timeout_s: float | None,
        pongs_are_read: Callable[[], bool],
        on_open: Callable[[], None],
    ) -> None:
        self.phase = Phase.HANDSHAKE
        self.writable = LightEvent()
        """Not set while the client has to read what was written before more is written."""
        self.writable.set()
        self._core = core
        self._messages = messages
        self._loop = loop
        self._on_open = on_open
        self._transport: asyncio.Transport
        self._linger_timer: asyncio.TimerHandle | None = None
        self._keepalive = Keepalive(
            ping_interval_s,
            ping_timeout_s,
            loop=loop,
            send_ping=self._ping,
            pongs_are_read=pongs_are_read,
            on_timeout=lambda: self.fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout"),
            on_probe_answered=lambda: messages.notify(PongNotice()),
        )
        self.on_pong = self._keepalive.on_pong

    def start(self, transport: asyncio.Transport) -> None:
        """Write to this transport."""
        self._transport = transport

    def flush(self) -> None:
        """Write what the core has to send."""
        self._transport.write(b"".join(self._core.data_to_send()))

    def on_congestion(self) -> None:
        """The client has to read what was written before more is written."""
        self.writable.clear()
        self._core.congested = True

    def on_writable(self) -> None:
        """The client has read what was written."""
        self.writable.set()
        self._core.congested = False
        if not self._transport.is_closing():
            self._core.answer_ping()
            self.flush()

    # Called by the application

    @property
    def closed_by_client(self) -> bool:
        """Whether the client was the first to close."""
        return bool(self._core.close_rcvd_then_sent)

    def accept(self, response: Response) -> None:
        """Complete the handshake (RFC 6455, section 4.2.2); only in its phase."""
        self._core.send_response(response)
        self.flush()
        self.phase = Phase.OPEN
        self._keepalive.start()
        self._on_open()

    def refuse(self, response: Response) -> None:
        """Answer the upgrade request with HTTP, and close; only in the phase of the handshake."""
        self._core.send_response(response)
        self.flush()
        self.end(CloseCode.ABNORMAL_CLOSURE)
        self._transport.close()

    def send_text(self, data: bytes) -> None:
        """Send a text message; only when open."""
        self._core.send_text(data)
        self.flush()

    def send_binary(self, data: bytes) -> None:
        """Send a binary message; only when open."""
        self._core.send_binary(data)
        self.flush()

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake (RFC 6455, section 7.1.2); only when open.

        Raises:
            websockets.exceptions.ProtocolError: The code is none, or the reason is too long.
        """
        self._core.send_close(code, reason)
        self.flush()
        self.end(code, reason)
        if self._core.parser_exc is not None:
            self.half_close()

    def ping(self) -> bool:
        """Send a ping; a `PongNotice` follows when it is answered. False = not possible now."""
        if self.phase is not Phase.OPEN or not self.writable.is_set():
            return False
        self._keepalive.probe()
        return True

    # Called by the connection

    def fail(self, code: int, reason: str = "") -> None:
        """Fail the connection (RFC 6455, section 7.1.7); only when open."""
        if self._core.state is State.OPEN:  # the client's own close frame may be here already
            self._core.fail(code, reason)
        self.finish()

    def finish(self) -> None:
        """Send the core's close frame, unless one was sent before, and close (section 7.1.1)."""
        if self.phase is Phase.OPEN:
            sent = self._core.close_sent
            assert sent is not None
            self.flush()
            self.end(sent.code, sent.reason)
        self._transport.close()

    def half_close(self) -> None:
        """Send no more. The client's close frame is not parsed: its end of file is awaited."""
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def end(self, code: int, reason: str = "") -> None:
        """Send nothing more, report the end to the application, and bound the time of closing."""
        self.phase = Phase.CLOSED
        self._keepalive.stop()
        self._messages.end(code, reason)
        if self._linger_timer is None:
            self._linger_timer = self._loop.call_later(LINGER_S, self._transport.abort)

    def stop(self) -> None:
        """Stop for ever: the connection is lost."""
        self.end(CloseCode.ABNORMAL_CLOSURE)  # RFC 6455, section 7.1.5
        assert self._linger_timer is not None
        self._linger_timer.cancel()
        self.writable.set()  # a transport that is lost does not call `resume_writing`

    def _ping(self, payload: bytes) -> None:
        self._core.send_ping(payload)
        self.flush()
