"""The working side of a socket: carries out actions and processes audio, in order."""

import asyncio
from typing import assert_never

from streamer.config.explain import show
from streamer.observe.log_context import LogContext
from streamer.observe.traceparent import TraceContext, new_context, parse
from streamer.observe.tracer import SessionTrace
from streamer.pipeline.context import StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stream import Stream
from streamer.protocol.actions import (
    Begin,
    BeginAgain,
    Close,
    DropWork,
    EndPausedSegments,
    EndSegments,
    Finish,
    QueuedAction,
    SendError,
)
from streamer.protocol.messages import ErrorEvent, Start, WarningEvent
from streamer.services import Services
from streamer.session.dialect import Dialect
from streamer.session.inbox import Inbox


class Executor:
    """Owns the streams of one socket, one after another.

    Args:
        context: Ids of the session, for log lines.
        trace: Of the socket.
        traceparent: Header of the upgrade request; None = it had none.
        dialect: Determines how the audio is cut.
        services: What all sessions share.
        inbox: The actions and the audio.
        outbox: Takes the events.
    """

    def __init__(
        self,
        context: LogContext,
        trace: SessionTrace,
        traceparent: str | None,
        *,
        dialect: Dialect,
        services: Services,
        inbox: Inbox[QueuedAction],
        outbox: Outbox,
    ) -> None:
        self._log_context = context
        self._session_trace = trace
        self._traceparent = traceparent
        self._dialect = dialect
        self._services = services
        self._inbox = inbox
        self._outbox = outbox
        self._start: Start | None = None
        """Of the open stream, or of the last one."""
        self._stream: Stream | None = None
        """The open one."""

    @property
    def idle_since_s(self) -> float | None:
        """Since when the server waits for the client; None = the client may wait for the server.

        It does while audio is processed, and while results are pending.
        """
        since_s = self._inbox.idle_since_s
        if since_s is None or self._stream is None:
            return since_s
        settled_s = self._stream.idle_since_s
        return None if settled_s is None else max(since_s, settled_s)

    async def run(self) -> None:
        """Work until cancelled; the streams' own tasks end with this one."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    item = await self._next()
                    if isinstance(item, bytes):
                        await self._current_stream.feed(item, self._inbox.arrived_s)
                    else:
                        await self._execute(item, tasks)
                    if self._outbox.full:
                        await self._outbox.drained()
        finally:
            if self._stream is not None:
                self._stream.close(None)

    async def _next(self) -> QueuedAction | bytes:
        if self._stream is None:
            return await self._inbox.get()
        needed_bytes = self._stream.needed_bytes
        return await self._inbox.get(needed_bytes, self._stream.joinable_bytes(needed_bytes))

    @property
    def _current_stream(self) -> Stream:
        assert self._stream is not None  # the state table allows nothing else
        return self._stream

    async def _execute(self, action: QueuedAction, tasks: asyncio.TaskGroup) -> None:
        match action:
            case Begin(start=start):
                self._start = start
                await self._begin(start, tasks)
            case BeginAgain():
                assert self._start is not None  # the state table remembers that there was one
                await self._begin(self._start, tasks)
            case EndSegments():
                await self._current_stream.flush(self._inbox.arrived_s)
            case EndPausedSegments():
                await self._current_stream.pause(self._inbox.arrived_s)
            case Finish():
                stopped = await self._current_stream.finish(self._inbox.arrived_s)
                self._current_stream.close(stopped)
                self._stream = None
                self._outbox.post(stopped)
            case SendError(failure=failure):
                self._report(failure)
            case Close():
                self._outbox.post(action)
            case DropWork():
                pass  # the session ends with its reader
            case _:
                assert_never(action)

    def _report(self, failure: ErrorEvent) -> None:
        if self._stream is not None:
            self._stream.trace.error(failure.code, failure.message)
        self._outbox.post(failure)

    async def _begin(self, start: Start, tasks: asyncio.TaskGroup) -> None:
        pool = self._services.pools[start.model]
        sample_rate = await pool.wait_ready()
        trace = self._session_trace.stream(self._trace_context(start), pool.spec.name)
        self._log_context.trace_id = trace.trace_id
        context = StreamContext(
            session_id=self._log_context.session_id,
            route=self._dialect.route,
            segmentation=self._dialect.segmentation,
            config=self._services.config,
            vad=self._services.vad,
            monitor=self._services.monitor,
            pool=pool,
            sample_rate=sample_rate,
            outbox=self._outbox,
            trace=trace,
        )
        self._stream = Stream(context, start, tasks)
        self._outbox.post(self._stream.started())
        for warning in self._stream.unmet():
            self._outbox.post(warning)

    def _trace_context(self, start: Start) -> TraceContext:
        """Of the `start`, else of the upgrade request, else a new one."""
        given = self._traceparent if start.trace_id is None else start.trace_id
        if given is None:
            return new_context()
        context = parse(given)
        if context is None:
            message = (
                f"'trace_id' is {show(given)}; allowed: a W3C traceparent or 32 hex digits. "
                "A new trace was begun"
            )
            self._outbox.post(WarningEvent(code="bad_trace_id", message=message))
            return new_context()
        return context
