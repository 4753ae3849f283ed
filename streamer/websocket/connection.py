"""One WebSocket connection: the protocol class, which the event loop and uvicorn call.

uvicorn reads the upgrade request, makes a `WebSocketConnection`, gives it the request's bytes and
hands the transport over. The way of a message:

1. `handshake.py` makes an ASGI scope of the upgrade request, and the answers to it (pure).
2. `reading.py` parses bytes: a piece at a time, with pauses (`rate.py`) and in turns with other
   connections (`turns.py`). `liveness.py` watches a connection that is not being read.
3. `protocol_core.py` is the core, and the short way for live audio (without input and output).
4. `message_queue.py` joins frames to messages, which wait there for the application.
5. `application.py` runs the ASGI application, and carries out what it sends.
6. `writing.py` writes frames, pings (`keepalive.py`) and the end of the connection.

`signals.py` has what a streaming server needs besides ASGI (`asgi.py`):

- **A connection can be cut off** (`abort_of`), and one that closes is cut off after some seconds.
- **The loss of a connection is known** (`gone_of`). ASGI reports it only to a task that waits in
  `receive`, and a session's reader does not wait there during back-pressure. While nothing is
  read, only a check of the socket shows the loss.
- **Live audio takes a short way** (`deliver_directly`).
- **A client can be asked whether all has arrived that it sent** (`ping_of`): a pong comes behind
  everything else from the client, and is reported in that order.

A client that sends pings and does not read the pongs gets one for the latest ping only.
"""

import asyncio
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request

from streamer.config.limits import LimitsConfig
from streamer.memory import LightEvent
from streamer.websocket.application import Application
from streamer.websocket.handshake import (
    BAD_REQUEST,
    Acceptance,
    refusal,
    scope_of,
    transport_address,
)
from streamer.websocket.message_queue import MessageQueue
from streamer.websocket.protocol_core import Core
from streamer.websocket.rate import SpareTime
from streamer.websocket.reading import InputReader
from streamer.websocket.signals import ABORT, ALLOW, DIRECT, GONE, PING, SPENT, DirectReceiver
from streamer.websocket.turns import ParserTurns
from streamer.websocket.writing import OutputWriter, Phase


class WebSocketConnection(asyncio.Protocol):
    """The protocol class for `uvicorn.Config(ws=…)`, as `websocket_class` makes it.

    Args:
        config: uvicorn's; the application, the largest message, and the times of the pings.
        server_state: uvicorn's: it shuts down the `connections` and awaits the `tasks`.
        app_state: The state of ASGI's lifespan.
        _loop: The event loop; None = the running one.
    """

    limits: LimitsConfig
    turns: ParserTurns
    spare: SpareTime
    """Shared by all connections of a server, as `turns` is."""
    transport: asyncio.Transport

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._config = config
        self._server_state = server_state
        self._connections: set[Any] = server_state.connections
        self._app_state = app_state
        self._loop = loop = _loop or asyncio.get_running_loop()
        self._gone = LightEvent()
        self._core = Core(max_size=config.ws_max_size, max_fragments=self.limits.max_fragments)
        self._messages = MessageQueue()
        self._reader = InputReader(
            self._core,
            self._messages,
            self,
            limits=self.limits,
            max_message_bytes=config.ws_max_size,
            turns=self.turns,
            spare=self.spare,
            loop=loop,
        )
        self._writer = OutputWriter(
            self._core,
            self._messages,
            loop=loop,
            ping_interval_s=config.ws_ping_interval,
            ping_timeout_s=config.ws_ping_timeout,
            pongs_are_read=lambda: self._reader.pongs_are_read,
            on_open=self._reader.release,
        )

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection begins; also called by uvicorn when it hands over the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self._reader.start(self.transport)
        self._writer.start(self.transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived; the first ones, from uvicorn, are the upgrade request."""
        self._reader.feed(data)

    def eof_received(self) -> None:
        """The client sends nothing more; the transport then closes."""
        if self._writer.phase is not Phase.CLOSED:
            self._writer.end(CloseCode.ABNORMAL_CLOSURE)

    def pause_writing(self) -> None:
        """The client has to read what was written before more is written."""
        self._writer.on_congestion()

    def resume_writing(self) -> None:
        """More can be written."""
        self._writer.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection does not exist any more."""
        self._reader.stop()
        self._writer.stop()
        self._gone.set()
        self._connections.discard(self)

    # Called by uvicorn

    def shutdown(self) -> None:
        """The server ends: refuse or close, and do not wait for the client's close frame."""
        if self._writer.phase is Phase.HANDSHAKE:
            self._writer.refuse(refusal(HTTPStatus.SERVICE_UNAVAILABLE))
        elif self._writer.phase is Phase.OPEN:
            self._writer.close(CloseCode.SERVICE_RESTART)
        self.transport.close()
        self._gone.set()

    # Called by the reader

    def on_request(self, request: Request) -> None:
        """Run the application, unless the request is no upgrade to a WebSocket."""
        response = self._core.accept(request)  # RFC 6455, section 4.2.1
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._writer.refuse(response)
            return
        self._reader.hold()
        self._messages.connect()
        acceptance = Acceptance(response, lambda: self._server_state.default_headers)
        application = Application(
            self._config.loaded_app, self._messages.receive, self._writer, acceptance
        )
        task = self._loop.create_task(application.run(self._scope(request)))
        self._server_state.tasks.add(task)  # uvicorn awaits it
        task.add_done_callback(self._server_state.tasks.discard)

    def on_control(self, frame: Frame) -> None:
        """Handle a control frame (RFC 6455, section 5.5)."""
        match frame.opcode:
            case Opcode.PING:
                self._writer.flush()  # the pong
            case Opcode.PONG:
                self._writer.on_pong(bytes(frame.data))
            case Opcode.CLOSE:
                self._writer.finish()

    def on_invalid_text(self) -> None:
        """Fail the connection (RFC 6455, sections 8.1 and 7.4.1)."""
        self._writer.fail(CloseCode.INVALID_DATA)

    def on_failure(self) -> None:
        """End the connection; the core has failed it (RFC 6455, section 7.1.7)."""
        if self._writer.phase is Phase.HANDSHAKE:
            # uvicorn's parser took the bytes for an upgrade request, and the core does not.
            self.transport.write(b"".join(self._core.data_to_send()) or BAD_REQUEST)
            self._writer.end(CloseCode.ABNORMAL_CLOSURE)
            self.transport.close()
        elif self._writer.phase is Phase.OPEN:
            self._writer.finish()
        else:
            self._writer.half_close()

    def _scope(self, request: Request) -> dict[str, Any]:
        info = self.transport.get_extra_info
        scope = scope_of(
            request,
            secure=bool(info("sslcontext")),
            server=transport_address(info("sockname")),
            client=transport_address(info("peername")),
            root_path=self._config.root_path,
            asgi_version=self._config.asgi_version,
            state=self._app_state,
        )
        own = {
            ABORT: self.transport.abort,
            GONE: self._gone,
            DIRECT: self._deliver_directly,
            PING: self._writer.ping,
            ALLOW: self._reader.allow_messages_of,
            SPENT: self._reader.charge,
        }
        return {**scope, **own}

    def _deliver_directly(self, receiver: DirectReceiver, joined: bool) -> None:
        self._messages.receiver = receiver
        self._messages.joined = joined


def websocket_class(to: LimitsConfig) -> type[WebSocketConnection]:
    """The protocol class with these limits."""

    class Limited(WebSocketConnection):
        limits = to
        turns = ParserTurns()
        spare = SpareTime()

    return Limited
