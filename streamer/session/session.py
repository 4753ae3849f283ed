"""One client on one WebSocket, from accept to close.

Tasks under one owner: the reader turns messages into inputs and actions, the executor carries the
actions out in order, the writer sends the events, and three tasks wait for deadlines, for the loss
of the connection, and for pauses of the audio. When one of them fails, the others end with it, and
the client gets an error.
"""

import asyncio
import contextlib
import logging
import secrets

from starlette.websockets import WebSocket, WebSocketDisconnect

from streamer.access.tokens import AuthState
from streamer.observe.log_context import LogContext, current
from streamer.pipeline.outbox import Outbox
from streamer.protocol.actions import Close, QueuedAction
from streamer.protocol.codes import CloseCode, close_reason
from streamer.protocol.messages import ErrorEvent, Event
from streamer.services import Services
from streamer.session.client_inputs import ClientInputs
from streamer.session.dialect import Dialect, Opening
from streamer.session.executor import Executor
from streamer.session.inbox import Inbox
from streamer.session.reader import Reader
from streamer.websocket.signals import abort_of, gone_of, ping_of

_log = logging.getLogger(__name__)


class SessionOver(Exception):
    """The connection is gone, or everything has been sent: the session's tasks end."""


class SlowClient(Exception):
    """The client has not read an event for `limits.send_timeout_seconds`."""


class Session:
    """One client on one socket.

    Args:
        socket: Not yet accepted.
        dialect: Of this socket alone.
        opening: What the upgrade request asks for.
        auth: Whether the request has shown a credential.
        services: What all sessions share.
    """

    def __init__(
        self,
        socket: WebSocket,
        dialect: Dialect,
        opening: Opening,
        auth: AuthState,
        services: Services,
    ) -> None:
        self._context = LogContext(secrets.token_hex(8))
        self._socket = socket
        self._dialect = dialect
        self._opening = opening
        self._monitor = services.monitor
        path = socket.scope["path"].removeprefix(socket.scope.get("root_path", ""))
        self._trace = services.tracer.session(self._context.session_id, "websocket", path)
        limits = services.config.limits
        self._send_timeout_s = limits.send_timeout_seconds
        self._outbox = Outbox(self._monitor)
        self._inbox: Inbox[QueuedAction] = Inbox(
            limits.max_buffered_bytes, self._monitor.clock, services.vad.invitations
        )
        self._inputs = ClientInputs(
            dialect,
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
            services=services,
            inbox=self._inbox,
            outbox=self._outbox,
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

    async def _serve(self) -> None:
        await self._socket.accept(self._opening.subprotocol)
        route = self._dialect.route
        self._monitor.session_opened(route, self._inbox.held_bytes)
        failure: Exception | None = None
        try:
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
            self._monitor.session_closed(route, self._inbox.held_bytes)
            self._inbox.release()  # tracebacks may refer to it until the garbage collector runs

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
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    await self._send(item)
            except TimeoutError:
                raise SlowClient from None
            except WebSocketDisconnect:
                return  # the reader or the watcher notices it too, and ends the session

    async def _send(self, item: Event | Close) -> None:
        """Send the frames of an event.

        Raises:
            SessionOver: One of them has closed the socket; a dialect may close on any event.
        """
        for frame in self._dialect.write(item):
            if isinstance(frame, str):
                await self._socket.send_text(frame)
            elif isinstance(frame, bytes):
                await self._socket.send_bytes(frame)
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
