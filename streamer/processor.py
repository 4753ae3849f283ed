"""The working side of a socket: carries out commands and processes audio, in order."""

import asyncio
import logging
from collections.abc import Mapping

from streamer import trace
from streamer.commands import Command
from streamer.inbox import Inbox
from streamer.messages import Start, Warned
from streamer.outbox import Close, Outbox
from streamer.protocol import Action
from streamer.services import Services
from streamer.stream import Stream
from streamer.validation import show

_log = logging.getLogger(__name__)


class Processor:
    """Owns the streams of one socket, one after another.

    Args:
        session_id: Named in `started` and `stopped`.
        headers: Of the upgrade request; `traceparent` is looked for.
        segmented: Whether a VAD cuts the audio, or a clock.
        services: What all sessions share.
        inbox: What to do.
        outbox: Takes the events that come of it.
    """

    def __init__(
        self,
        session_id: str,
        headers: Mapping[str, str],
        *,
        segmented: bool,
        services: Services,
        inbox: Inbox[Command],
        outbox: Outbox,
    ) -> None:
        self._session_id = session_id
        self._headers = headers
        self._segmented = segmented
        self._services = services
        self._inbox = inbox
        self._outbox = outbox
        self._start: Start | None = None
        """Of the open stream, or of the last one."""

    async def run(self) -> None:
        """Work until cancelled; the streams' own tasks end with this one."""
        async with asyncio.TaskGroup() as tasks:
            stream: Stream | None = None
            while True:
                item = await self._inbox.get()
                if isinstance(item, Command):
                    stream = await self._do(item, stream, tasks)
                else:
                    assert stream is not None
                    await stream.feed(item)
                await self._outbox.drained()

    async def _do(
        self, command: Command, stream: Stream | None, tasks: asyncio.TaskGroup
    ) -> Stream | None:
        """Carry out one command; returns the stream that is open afterwards."""
        match command.action:
            case Action.BEGIN:
                self._start = command.start
                return await self._begin(tasks)
            case Action.BEGIN_AGAIN:
                return await self._begin(tasks)
            case Action.FLUSH:
                assert stream is not None
                await stream.flush()
            case Action.FINISH:
                assert stream is not None
                stopped = await stream.finish()
                _log.info(
                    "session %s: %.1f s of audio, %d segments",
                    self._session_id,
                    stopped.audio_seconds,
                    stopped.segments,
                )
                self._outbox.post(stopped)
                return None
            case Action.REPORT:
                assert command.failure is not None
                self._outbox.post(command.failure)
            case Action.CLOSE:
                self._outbox.post(Close(command.close_code))
        return stream

    async def _begin(self, tasks: asyncio.TaskGroup) -> Stream:
        assert self._start is not None
        pool = self._services.pools[self._start.model]
        stream = Stream(
            self._session_id,
            self._start,
            segmented=self._segmented,
            services=self._services,
            pool=pool,
            sample_rate=await pool.wait_ready(),
            tasks=tasks,
            outbox=self._outbox,
        )
        context = self._trace_context(self._start)
        self._outbox.post(stream.started(context.trace_id))
        return stream

    def _trace_context(self, start: Start) -> trace.TraceContext:
        """Of the `start`, else of the upgrade request, else a new one."""
        given = start.trace_id
        if given is None:
            given = self._headers.get("traceparent")
        if given is None:
            return trace.new()
        context = trace.parse(given)
        if context is None:
            message = (
                f"'trace_id' is {show(given)}; allowed: a W3C traceparent or 32 hex digits. "
                "A new trace was begun"
            )
            self._outbox.post(Warned(code="bad_trace_id", message=message))
            return trace.new()
        return context
