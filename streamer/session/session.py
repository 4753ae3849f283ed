"""One client on one WebSocket, from accept to close.

Tasks under one owner: the reader turns messages into inputs and actions, the executor carries the
actions out in order, the writer sends the events, and three tasks wait for deadlines, for the loss
of the connection, and for pauses of the audio. When one of them fails, the others end with it, and
the client gets an error.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from starlette.websockets import WebSocket, WebSocketDisconnect

from streamer.access.tokens import AuthState
from streamer.config.explain import show_name
from streamer.observe.log_context import LogContext, current
from streamer.observe.monitor import TaskOver
from streamer.observe.tracer import Protocol
from streamer.pipeline.outbox import Outbox
from streamer.protocol.actions import Close, Outgoing, QueuedAction
from streamer.protocol.codes import CloseCode, close_reason
from streamer.protocol.events import ErrorEvent
from streamer.protocol.inputs import Input
from streamer.services import Services
from streamer.session.client_inputs import ClientInputs
from streamer.session.dialect import Dialect, Opening, limits_of
from streamer.session.executor import Executor
from streamer.session.inbox import Inbox
from streamer.session.reader import Reader
from streamer.websocket.signals import abort_of, allow_messages_of, gone_of, ping_of, spent_of

_PROTOCOLS: Mapping[str, Protocol] = {"wyoming": "wyoming", "grpc": "grpc"}
"""By the scheme of what is no WebSocket, but one to ASGI."""

_log = logging.getLogger(__name__)


LONGEST_WRITING_S = 0.001
"""Seconds that the writing of one event takes at most, without waiting."""


class SessionOver(TaskOver):
    """The connection is gone, or everything has been sent: the session's tasks end."""


class SlowClient(TaskOver):
    """The client has not read an event for `limits.send_timeout_seconds`."""


class Session:
    """One client on one socket.

    Args:
        socket: Not yet accepted.
        dialect: Of this socket alone.
        opening: What the upgrade request asks for.
        auth: Whether the request has shown a credential.
        services: What all sessions share.
        session_id: For the client and the log.
    """

    def __init__(
        self,
        socket: WebSocket,
        dialect: Dialect,
        opening: Opening,
        auth: AuthState,
        services: Services,
        session_id: str,
    ) -> None:
        self._context = LogContext(session_id)
        self._socket = socket
        self._dialect = dialect
        self._opening = opening
        self._monitor = services.monitor
        path = socket.scope["path"].removeprefix(socket.scope.get("root_path", ""))
        protocol = _PROTOCOLS.get(socket.scope["scheme"], "websocket")
        self._trace = services.tracer.session(session_id, protocol, path, dialect.name)
        limits = limits_of(dialect, services.config.limits)
        own_bytes = dialect.max_text_bytes
        if own_bytes is not None and own_bytes > limits.max_message_bytes:
            allow_messages_of(socket.scope, own_bytes)
        self._send_timeout_s = limits.send_timeout_seconds
        self._spent = spent_of(socket.scope)
        self._outbox = Outbox(self._monitor)
        self._inbox: Inbox[QueuedAction] = Inbox(
            limits.max_buffered_bytes, self._monitor.clock, services.vad.invitations
        )
        self._inputs = ClientInputs(
            dialect,
            limits,
            self._inbox,
            self._outbox,
            services,
            auth,
            socket.client and socket.client.host,
            ping_of(socket.scope),
        )
        self._executor = Executor(
            self._context,
            self._trace,
            socket.headers.get("traceparent"),
            dialect=dialect,
            opening=opening,
            services=services,
            inbox=self._inbox,
            outbox=self._outbox,
            on_decoded=self._on_decoded,
        )
        self._reader = Reader(
            socket,
            self._inputs,
            self._inbox,
            limits,
            self._monitor.clock,
            lambda: self._executor.idle_since_s,
        )

    async def run(self) -> None:
        """Serve the socket until it is closed, by either side."""
        current.set(self._context)
        await self._monitor.tracked("route", self._serve())

    def drain(self, deadline_seconds: float) -> None:
        """Announce that the server ends; an open stream may go on until the deadline."""
        self._inputs.on_drain(deadline_seconds)

    def finish(self) -> None:
        """End the stream now, deliver its pending results, and close."""
        self._inputs.on_drain_deadline()

    def _on_decoded(self, audio_s: float) -> None:
        self._inbox.progressed(audio_s)
        self._inputs.pauses.on_decoded(audio_s)

    async def _serve(self) -> None:
        opening = self._opening
        headers = [(name.encode(), value.encode()) for name, value in opening.headers.items()]
        await self._socket.accept(opening.subprotocol, headers)
        route, dialect = self._dialect.route, self._dialect.name
        if opening.ignored:
            _log.info("%s: ignored: %s", dialect, ", ".join(map(show_name, opening.ignored)))
        self._monitor.session_opened(route, dialect, self._inbox.held_bytes)
        failure: Exception | None = None
        try:
            await self._greet()
            self._inputs.on_inputs(self._opening.inputs)
            await self._run_tasks()
        except* SessionOver:
            pass
        except* SlowClient as slow:
            failure = slow
            _log.warning("cut off: the client does not read its events")
            abort_of(self._socket.scope)()
        except* Exception as failures:
            failure = failures
            _log.error("the session failed", exc_info=failures)
            await self._break_off()
        finally:
            self._trace.end(failure)
            self._monitor.session_closed(route, dialect, self._inbox.held_bytes)
            self._inbox.release()  # tracebacks may refer to it until the garbage collector runs

    async def _greet(self) -> None:
        """Send the frames that the dialect begins with.

        Raises:
            SessionOver: The client is gone.
        """
        try:
            for frame in self._opening.frames:
                if isinstance(frame, str):
                    await self._socket.send_text(frame)
                else:
                    await self._socket.send_bytes(frame)
        except WebSocketDisconnect:
            raise SessionOver from None

    async def _run_tasks(self) -> None:
        tracked = self._monitor.tracked
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(tracked("decode", self._executor.run()))
            tasks.create_task(tracked("client", self._write()))
            tasks.create_task(tracked("client", self._watch_connection()))
            tasks.create_task(tracked("client", self._reader.keep_time()))
            tasks.create_task(tracked("client", self._inputs.pauses.run()))
            await self._reader.run()
            raise SessionOver

    async def _watch_connection(self) -> None:
        """End the session with its connection; a reader held up by back-pressure cannot notice."""
        await gone_of(self._socket.scope).wait()
        raise SessionOver

    async def _write(self) -> None:
        """Send events until the end."""
        while True:
            item = await self._outbox.get()
            begun_s = self._monitor.clock()
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    await self._send(item)
                # What is longer was waiting for the client.
                self._spent(min(self._monitor.clock() - begun_s, LONGEST_WRITING_S))
            except TimeoutError:
                raise SlowClient from None
            except WebSocketDisconnect:
                return  # the reader or the watcher notices it too, and ends the session

    async def _send(self, item: Outgoing) -> None:
        """Send the frames of an event.

        Raises:
            SessionOver: One of them has closed the socket; a dialect may close on any event.
        """
        for frame in self._dialect.write(item):
            if isinstance(frame, str):
                await self._socket.send_text(frame)
            elif isinstance(frame, bytes):
                await self._socket.send_bytes(frame)
            elif isinstance(frame, Input):
                self._inputs.on_inputs((frame,))
            else:
                await self._socket.close(frame.code, frame.reason)
                raise SessionOver

    async def _break_off(self) -> None:
        """Report a defect of the server, if the client can still be reached."""
        message = f"internal error; quote session {self._context.session_id}"
        failure = ErrorEvent(code="internal_error", message=message, fatal=True)
        self._monitor.error(failure.code)
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError, SessionOver):
            async with asyncio.timeout(self._send_timeout_s):
                await self._send(failure)
                await self._send(Close(CloseCode.INTERNAL_ERROR, close_reason(message)))
