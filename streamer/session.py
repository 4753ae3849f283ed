"""One WebSocket, from accept to close.

Three tasks under one owner: the reader turns messages into commands, the processor carries them
out in order, the writer sends what comes of it. Whichever fails takes the others with it, and the
client is told.
"""

import asyncio
import contextlib
import logging
import secrets

from starlette.websockets import WebSocket, WebSocketDisconnect

from streamer.commands import INTERNAL, Command, failed
from streamer.inbox import Inbox
from streamer.log_context import LogContext, current
from streamer.messages import encode_event
from streamer.monitor import Route
from streamer.outbox import Close, Outbox
from streamer.processor import Processor
from streamer.reader import Reader
from streamer.services import Services
from streamer.websocket import abort_of, gone_of

_log = logging.getLogger(__name__)


class ConnectionGone(Exception):
    """There is nobody to work for any more."""


class SlowClient(Exception):
    """The client has not read an event for `limits.send_timeout_seconds`."""


class Session:
    """One socket.

    Args:
        socket: Not yet accepted.
        segmented: Whether a VAD cuts the audio, or a clock.
        services: What all sessions share.
    """

    def __init__(self, socket: WebSocket, *, segmented: bool, services: Services) -> None:
        self._context = LogContext(secrets.token_hex(8))
        self._socket = socket
        self._route: Route = "segmented" if segmented else "simple"
        self._monitor = services.monitor
        self._trace = services.tracer.session(self._context.session_id, self._route)
        self._send_timeout_s = services.config.limits.send_timeout_seconds
        self._outbox = Outbox(self._monitor)
        self._inbox: Inbox[Command] = Inbox(
            services.config.limits.max_buffered_bytes, self._monitor.clock
        )
        self._reader = Reader(socket, self._inbox, services)
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
        await self._socket.accept()
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

    async def _run_tasks(self) -> None:
        tracked = self._monitor.tracked
        async with asyncio.TaskGroup() as tasks:
            processor = tasks.create_task(tracked("decode", self._processor.run()))
            writer = tasks.create_task(tracked("client", self._write()))
            watcher = tasks.create_task(tracked("client", self._watch()))
            await self._reader.run()
            for task in (processor, writer, watcher):
                task.cancel()

    async def _watch(self) -> None:
        """End everything with the connection; a reader held up by back-pressure cannot tell."""
        await gone_of(self._socket.scope).wait()
        raise ConnectionGone

    async def _write(self) -> None:
        """Send events until the end. After a close, the reader hears of the disconnect."""
        while True:
            item = await self._outbox.get()
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    if isinstance(item, Close):
                        await self._socket.close(item.code)
                        return
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
