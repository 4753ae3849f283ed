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
from streamer.messages import encode_event
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
        self.id = secrets.token_hex(8)
        self._socket = socket
        self._send_timeout_s = services.config.limits.send_timeout_seconds
        self._outbox = Outbox()
        inbox: Inbox[Command] = Inbox(services.config.limits.max_buffered_bytes)
        self._reader = Reader(socket, inbox, services)
        self._processor = Processor(
            self.id,
            socket.headers,
            segmented=segmented,
            services=services,
            inbox=inbox,
            outbox=self._outbox,
        )

    async def run(self) -> None:
        """Serve the socket until it is closed, by either side."""
        await self._socket.accept()
        try:
            async with asyncio.TaskGroup() as tasks:
                processor = tasks.create_task(self._processor.run())
                writer = tasks.create_task(self._write())
                watcher = tasks.create_task(self._watch())
                await self._reader.run()
                for task in (processor, writer, watcher):
                    task.cancel()
        except* ConnectionGone:
            pass
        except* SlowClient:
            _log.warning("session %s is cut off: its client does not read its events", self.id)
            abort_of(self._socket.scope)()
        except* Exception as failures:
            _log.error("session %s failed", self.id, exc_info=failures)
            await self._break_off()

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
        message = f"internal error; quote session {self.id}"
        failure = failed("internal_error", message, fatal=True)
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(self._send_timeout_s):
                await self._socket.send_text(encode_event(failure))
                await self._socket.close(INTERNAL)
