"""One WebSocket, from accept to close.

Tasks under one owner: the reader turns messages into commands, the processor carries them out in
order, the writer sends what comes of it, and deadlines are kept beside them. Whichever fails takes
the others with it, and the client is told.
"""

import asyncio
import contextlib
import logging
import secrets

from starlette.websockets import WebSocket, WebSocketDisconnect

from streamer.access.tokens import Standing
from streamer.observe.log_context import LogContext, current
from streamer.observe.monitor import Route
from streamer.pipeline.outbox import Close, Outbox
from streamer.protocol.messages import encode_event
from streamer.services import Services
from streamer.session.commands import INTERNAL, Command, failed
from streamer.session.executor import Processor
from streamer.session.inbox import Inbox
from streamer.session.inputs import Conversation
from streamer.session.reader import Reader
from streamer.websocket.channel import abort_of, gone_of

SUBPROTOCOL = "streamer.v1"
"""Answered to whoever offers it. A browser can only show a token beside a subprotocol."""

_log = logging.getLogger(__name__)


class ConnectionGone(Exception):
    """There is nobody to work for any more, or nothing more to say."""


class SlowClient(Exception):
    """The client has not read an event for `limits.send_timeout_seconds`."""


class Session:
    """One socket.

    Args:
        socket: Not yet accepted.
        segmented: Whether a VAD cuts the audio, or a clock.
        services: What all sessions share.
        standing: Whether the client has shown a token.
    """

    def __init__(
        self,
        socket: WebSocket,
        *,
        segmented: bool,
        services: Services,
        standing: Standing = Standing.ADMITTED,
    ) -> None:
        self._context = LogContext(secrets.token_hex(8))
        self._socket = socket
        self._route: Route = "segmented" if segmented else "simple"
        self._monitor = services.monitor
        self._trace = services.tracer.session(
            self._context.session_id, "websocket", f"/api/v1/{self._route}"
        )
        self._send_timeout_s = services.config.limits.send_timeout_seconds
        limits = services.config.limits
        self._outbox = Outbox(self._monitor)
        self._inbox: Inbox[Command] = Inbox(
            limits.max_buffered_bytes, self._monitor.clock, services.vad.invitations
        )
        self._conversation = Conversation(self._inbox, self._outbox, services, standing)
        self._reader = Reader(socket, self._conversation, self._inbox, limits, self._monitor.clock)
        self._processor = Processor(
            self._context,
            self._trace,
            socket.headers,
            segmented=segmented,
            services=services,
            inbox=self._inbox,
            outbox=self._outbox,
        )

    async def run(self) -> None:
        """Serve the socket until it is closed, by either side."""
        current.set(self._context)
        await self._monitor.tracked("route", self._serve())

    async def _serve(self) -> None:
        offered = self._socket.scope["subprotocols"]
        await self._socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self._monitor.session_opened(self._route, self._inbox.held_bytes)
        failure: Exception | None = None
        try:
            await self._run_tasks()
        except* ConnectionGone:
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
            self._monitor.session_closed(self._route, self._inbox.held_bytes)
            self._inbox.release()  # tracebacks may lead here until the garbage collector comes by

    async def _run_tasks(self) -> None:
        tracked = self._monitor.tracked
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(tracked("decode", self._processor.run()))
            tasks.create_task(tracked("client", self._write()))
            tasks.create_task(tracked("client", self._watch()))
            tasks.create_task(tracked("client", self._reader.keep_time()))
            await self._reader.run()
            raise ConnectionGone

    def drain(self, deadline_seconds: float) -> None:
        """Say that the server is going away; the stream may go on for so long."""
        self._conversation.drain(deadline_seconds)

    def finish(self) -> None:
        """End the stream now, deliver what it is owed, and close."""
        self._conversation.finish()

    async def _watch(self) -> None:
        """End everything with the connection; a reader held up by back-pressure cannot tell."""
        await gone_of(self._socket.scope).wait()
        raise ConnectionGone

    async def _write(self) -> None:
        """Send events until the end."""
        while True:
            item = await self._outbox.get()
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    if isinstance(item, Close):
                        await self._socket.close(item.code)
                        raise ConnectionGone
                    await self._socket.send_text(encode_event(item))
            except TimeoutError:
                raise SlowClient from None
            except WebSocketDisconnect:
                return  # whoever reads or watches hears of it too

    async def _break_off(self) -> None:
        """Tell the client that the server is at fault, if it can still be told."""
        message = f"internal error; quote session {self._context.session_id}"
        failure = failed("internal_error", message, fatal=True)
        self._monitor.error(failure.code)
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(self._send_timeout_s):
                await self._socket.send_text(encode_event(failure))
                await self._socket.close(INTERNAL)
