"""The working side of a socket: carries out commands and processes audio, in order."""

import asyncio
from collections.abc import Mapping

from streamer.config.explain import show
from streamer.observe.log_context import LogContext
from streamer.observe.traceparent import TraceContext, new_context, parse
from streamer.observe.tracer import SessionTrace
from streamer.pipeline.context import StreamContext
from streamer.pipeline.outbox import Close, Outbox
from streamer.pipeline.stream import Stream
from streamer.protocol.messages import Start, Warned
from streamer.protocol.state import Action
from streamer.services import Services
from streamer.session.commands import Command
from streamer.session.inbox import Inbox


class Processor:
    """Owns the streams of one socket, one after another.

    Args:
        context: Whose work it is, for the log.
        trace: Of the socket.
        headers: Of the upgrade request; `traceparent` is looked for.
        segmented: Whether a VAD cuts the audio, or a clock.
        services: What all sessions share.
        inbox: What to do.
        outbox: Takes the events that come of it.
    """

    def __init__(
        self,
        context: LogContext,
        trace: SessionTrace,
        headers: Mapping[str, str],
        *,
        segmented: bool,
        services: Services,
        inbox: Inbox[Command],
        outbox: Outbox,
    ) -> None:
        self._log_context = context
        self._session_trace = trace
        self._headers = headers
        self._segmented = segmented
        self._services = services
        self._inbox = inbox
        self._outbox = outbox
        self._start: Start | None = None
        """Of the open stream, or of the last one."""
        self._stream: Stream | None = None
        """The open one."""

    async def run(self) -> None:
        """Work until cancelled; the streams' own tasks end with this one."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    item = await self._next()
                    if isinstance(item, Command):
                        await self._do(item, tasks)
                    else:
                        await self._open_stream.feed(item, self._inbox.arrived_s)
                    if self._outbox.full:
                        await self._outbox.drained()
        finally:
            if self._stream is not None:
                self._stream.close(None)

    async def _next(self) -> Command | bytes:
        if self._stream is None:
            return await self._inbox.get()
        needed_bytes = self._stream.needed_bytes
        return await self._inbox.get(needed_bytes, self._stream.joinable_bytes(needed_bytes))

    @property
    def _open_stream(self) -> Stream:
        assert self._stream is not None  # the protocol lets nothing else through
        return self._stream

    async def _do(self, command: Command, tasks: asyncio.TaskGroup) -> None:
        """Carry out one command."""
        match command.action:
            case Action.BEGIN:
                self._start = command.start
                await self._begin(tasks)
            case Action.BEGIN_AGAIN:
                await self._begin(tasks)
            case Action.FLUSH:
                await self._open_stream.flush(self._inbox.arrived_s)
            case Action.FINISH:
                stopped = await self._open_stream.finish(self._inbox.arrived_s)
                self._open_stream.close(stopped)
                self._stream = None
                self._outbox.post(stopped)
            case Action.REPORT:
                assert command.failure is not None
                if self._stream is not None:
                    self._stream.trace.error(command.failure.code, command.failure.message)
                self._outbox.post(command.failure)
            case Action.CLOSE:
                self._outbox.post(Close(command.close_code))

    async def _begin(self, tasks: asyncio.TaskGroup) -> None:
        assert self._start is not None
        pool = self._services.pools[self._start.model]
        sample_rate = await pool.wait_ready()
        trace = self._session_trace.stream(self._trace_context(self._start), pool.spec.name)
        self._log_context.trace_id = trace.trace_id
        context = StreamContext(
            session_id=self._log_context.session_id,
            route="segmented" if self._segmented else "simple",
            segmentation="speech" if self._segmented else "chunks",
            config=self._services.config,
            vad=self._services.vad,
            monitor=self._services.monitor,
            pool=pool,
            sample_rate=sample_rate,
            outbox=self._outbox,
            trace=trace,
        )
        self._stream = Stream(context, self._start, tasks)
        self._outbox.post(self._stream.started())

    def _trace_context(self, start: Start) -> TraceContext:
        """Of the `start`, else of the upgrade request, else a new one."""
        given = start.trace_id
        if given is None:
            given = self._headers.get("traceparent")
        if given is None:
            return new_context()
        context = parse(given)
        if context is None:
            message = (
                f"'trace_id' is {show(given)}; allowed: a W3C traceparent or 32 hex digits. "
                "A new trace was begun"
            )
            self._outbox.post(Warned(code="bad_trace_id", message=message))
            return new_context()
        return context
