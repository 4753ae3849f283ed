"""One TCP connection of a Wyoming client, as an ASGI server.

`describe` and `ping` are answered at once. The first event that needs a session runs the
application, for which the connection is a WebSocket: its messages are the frames of `frames.py`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

from uvicorn.server import ServerState

from streamer.config.limits import LimitsConfig
from streamer.dialects.wyoming.answers import error
from streamer.dialects.wyoming.codec import Event, MalformedEvent
from streamer.dialects.wyoming.frames import NO_MORE, SESSION_EVENTS, Frames
from streamer.dialects.wyoming.incoming import IncomingEvents
from streamer.dialects.wyoming.outgoing import OutgoingEvents
from streamer.memory import LightEvent
from streamer.protocol.requests import BadRequest
from streamer.websocket.asgi import ASGIApp, ClientDisconnected, Message, Scope
from streamer.websocket.signals import (
    ABORT,
    GONE,
    NOTICE,
    MalformedNotice,
    Notice,
    TooLargeNotice,
)
from streamer.websocket.turns import ParserTurns

PATH = "wyoming"
"""Stands for the address in logs and traces."""

_log = logging.getLogger(__name__)


class WyomingConnection(asyncio.Protocol):
    """The protocol class for the port.

    Args:
        app: Serves what needs a session.
        answer: Returns the answer to an event that needs none, or None.
        on_error: Called with the code of an `error` that no session has sent.
        limits: Of the configuration.
        server_state: uvicorn's: it shuts down the `connections` and awaits the `tasks`.
        turns: Shared by all connections of the port.
    """

    transport: asyncio.Transport

    def __init__(
        self,
        app: ASGIApp,
        answer: Callable[[Event], bytes | None],
        on_error: Callable[[str], None],
        limits: LimitsConfig,
        server_state: ServerState,
        turns: ParserTurns,
    ) -> None:
        self._app = app
        self._answer = answer
        self._on_error = on_error
        self._limits = limits
        self._server_state = server_state
        self._connections: set[Any] = server_state.connections
        self._loop = asyncio.get_running_loop()
        self._gone = LightEvent()
        self._incoming = IncomingEvents(limits, turns, self._gone, self._notify, self._loop)
        self._outgoing = OutgoingEvents(self._incoming, self._loop)
        self._frames = Frames()
        self._messages: deque[Message] = deque()
        """For the application."""

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection begins."""
        self.transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._incoming.start(self.transport)
        self._outgoing.start(self.transport)
        task = self._loop.create_task(self._serve())
        self._server_state.tasks.add(task)  # uvicorn awaits it
        task.add_done_callback(self._server_state.tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived."""
        self._incoming.feed(data)

    def eof_received(self) -> bool:
        """The client sends nothing more, but may wait for answers; False closes the transport."""
        self._incoming.end()
        return not self._outgoing.ended

    def pause_writing(self) -> None:
        """The client has to read what was written before more is written."""
        self._outgoing.pause()

    def resume_writing(self) -> None:
        """More can be written."""
        self._outgoing.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection does not exist any more."""
        self._gone.set()
        self._incoming.stop()
        self._outgoing.stop()
        self._connections.discard(self)

    # Called by uvicorn

    def shutdown(self) -> None:
        """The server ends."""
        self._gone.set()
        self._incoming.stop()
        self.transport.close()

    # The task of the connection

    async def _serve(self) -> None:
        try:
            if await self._answer_without_session():
                await self._app(self._scope(), self._receive, self._send)
        except (MalformedEvent, BadRequest) as refused:
            self._on_error(refused.code)
            self._outgoing.write(error(refused.code, str(refused)))
        except ClientDisconnected:
            pass
        except Exception:
            _log.exception("the application failed")
        finally:
            self._outgoing.end()

    async def _answer_without_session(self) -> bool:
        """Answer what needs no session; returns whether something else comes.

        A session begins with the line of an event: there is no limit on how many clients have none,
        so that the rest of a large event has to wait for it.

        Raises:
            MalformedEvent: The client sends something else than events.
            BadRequest: An event cannot be answered.
        """
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds or None):
                    kind = await self._incoming.next_type()
                    if kind in SESSION_EVENTS:
                        self._messages.clear()  # a notice, for which there was no session
                        self._messages.append({"type": "websocket.connect"})
                        return True
                    event = await self._incoming.next_event()
            except TimeoutError:
                return False
            if event is None:
                return False
            if (answer := self._answer(event)) is not None:
                try:
                    async with asyncio.timeout(self._limits.send_timeout_seconds):
                        await self._outgoing.writable()
                except TimeoutError:
                    self.transport.abort()  # it does not read its answers
                    return False
                self._outgoing.write(answer)

    def _scope(self) -> Scope:
        peer = self.transport.get_extra_info("peername")
        return {
            "type": "websocket",
            "scheme": "wyoming",
            "path": PATH,
            "root_path": "",
            "query_string": b"",
            "headers": [],
            "subprotocols": [],
            "client": (peer[0], peer[1]) if isinstance(peer, tuple) else None,
            ABORT: self.transport.abort,
            GONE: self._gone,
        }

    async def _receive(self) -> Message:
        """The next message for the application."""
        while not self._messages:
            try:
                event = await self._incoming.next_event()
                if event is not None:
                    self._add_frames(self._frames.of(event))
                elif self._gone.is_set() or self._frames.in_command:
                    return {"type": "websocket.disconnect", "code": 1006, "reason": ""}
                else:
                    self._incoming.discard()  # from now on, the next event is the disconnect
                    self._add_frames((NO_MORE,))
            except MalformedEvent as malformed:
                self._incoming.discard()
                notice = TooLargeNotice if malformed.code == "too_large" else MalformedNotice
                self._notify(notice(str(malformed)))
        return self._messages.popleft()

    async def _send(self, message: Message) -> None:
        """Carry out a message of the application.

        Raises:
            ClientDisconnected: The connection is lost, or being closed.
        """
        await self._outgoing.writable()
        if self._outgoing.closed:
            raise ClientDisconnected("the connection is closed")
        match message["type"]:
            case "websocket.send":
                self._outgoing.write(message["bytes"])
            case "websocket.http.response.body":
                self._outgoing.write(message.get("body", b""))
            case "websocket.close":
                self._outgoing.end()

    def _add_frames(self, frames: Iterable[str | bytes]) -> None:
        for frame in frames:
            kind = "text" if isinstance(frame, str) else "bytes"
            self._messages.append({"type": "websocket.receive", kind: frame})

    def _notify(self, notice: Notice) -> None:
        self._messages.append({"type": "websocket.receive", NOTICE: notice})
