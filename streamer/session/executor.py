"""The working side of a socket: carries out actions and processes audio, in order."""

import asyncio
from collections.abc import Callable
from typing import assert_never

from streamer.config.explain import show
from streamer.observe.log_context import LogContext
from streamer.observe.traceparent import TraceContext, new_context, parse
from streamer.observe.tracer import SessionTrace
from streamer.pipeline.container_stream import ContainerStream
from streamer.pipeline.context import StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stream import Stream
from streamer.protocol.actions import (
    Begin,
    BeginAgain,
    Close,
    Discard,
    DropWork,
    EndPausedSegments,
    EndSegments,
    Finish,
    QueuedAction,
    Reconfigure,
    Reply,
    SendError,
)
from streamer.protocol.events import ErrorEvent, WarningEvent
from streamer.protocol.requests import Configure, Start
from streamer.services import Services
from streamer.session.dialect import Dialect, Opening
from streamer.session.inbox import Inbox
from streamer.session.model_rates import rate_problem


class Executor:
    """Owns the streams of one socket, one after another.

    Args:
        context: Ids of the session, for log lines.
        trace: Of the socket.
        traceparent: Header of the upgrade request; None = it had none.
        dialect: Determines how the audio is cut.
        opening: What the upgrade request asked for.
        services: What all sessions share.
        inbox: The actions and the audio.
        outbox: Takes the events.
        on_decoded: Gets the seconds of audio that were decoded from a container.
    """

    def __init__(
        self,
        context: LogContext,
        trace: SessionTrace,
        traceparent: str | None,
        *,
        dialect: Dialect,
        opening: Opening,
        services: Services,
        inbox: Inbox[QueuedAction],
        outbox: Outbox,
        on_decoded: Callable[[float], None],
    ) -> None:
        self._log_context = context
        self._session_trace = trace
        self._traceparent = traceparent
        self._dialect = dialect
        self._opening = opening
        self._services = services
        self._inbox = inbox
        self._outbox = outbox
        self._on_decoded = on_decoded
        self._start: Start | None = None
        """The settings of the open stream, or of the last one."""
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
            case Reconfigure(configure=configure):
                await self._reconfigure(configure)
            case Discard():
                await self._current_stream.clear(self._inbox.arrived_s)
            case EndSegments():
                await self._current_stream.flush(self._inbox.arrived_s)
            case EndPausedSegments():
                await self._current_stream.pause(self._inbox.arrived_s)
            case Finish():
                stopped = await self._current_stream.finish(self._inbox.arrived_s)
                already_sent = self._current_stream.stopped is not None
                self._current_stream.close(stopped)
                self._stream = None
                if not already_sent:
                    self._outbox.post(stopped)
            case SendError(failure=failure):
                self._report(failure)
            case Reply() | Close():
                self._outbox.post(action)
            case DropWork():
                pass  # the session ends with its reader
            case _:
                assert_never(action)

    async def _reconfigure(self, configure: Configure) -> None:
        assert self._start is not None  # a stream is open
        start, stream = configure.over(self._start), self._current_stream
        pool = self._services.pools[start.model]
        sample_rate = await pool.wait_ready()
        # The reading side has refused it already, unless the model was not loaded then.
        if message := rate_problem(start.model, sample_rate, stream.model_rate):
            self._report(ErrorEvent(code="bad_message", message=message, fatal=False))
            return
        self._start = start
        self._outbox.post(stream.configure(start, pool))
        for warning in stream.unmet():
            self._outbox.post(warning)

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
            dialect=self._dialect.name,
            segmentation=self._dialect.segmentation,
            progress=self._opening.progress,
            config=self._services.config,
            vad=self._services.vad,
            monitor=self._services.monitor,
            pool=pool,
            sample_rate=sample_rate,
            outbox=self._outbox,
            trace=trace,
        )
        if start.format.is_container:
            decoders = self._services.decoders
            self._stream = ContainerStream(context, start, tasks, decoders, self._on_decoded)
        else:
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
