"""One channel's results: inferred at once and out of order, delivered in order."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from streamer.inference.jobs import NOTHING
from streamer.inference.pool import WorkerPool
from streamer.inference.result import (
    Attempt,
    InferenceError,
    InferenceTimedOut,
    Inferred,
    Result,
    WorkerLost,
)
from streamer.messages import Event, Failed, Interim, Segment
from streamer.monitor import Monitor, Outcome
from streamer.timeline import Settled, Timeline
from streamer.tracing import StreamTrace

Samples = npt.NDArray[np.float32]

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Ticket:
    """A result that is owed; times in seconds from the start of the stream."""

    samples: Samples
    start_time: float
    end_time: float
    final: bool
    timeline: Timeline
    flushed: bool = False
    dropped: bool = False
    """Nobody wants it any more."""
    result: Result | None = None
    """None until it is in the pool."""

    def drop(self) -> None:
        self.dropped = True
        self.samples = NOTHING
        if self.result is not None and not self.result.cancel() and not self.result.cancelled():
            self.result.exception()  # asyncio complains of a failure that nobody looks at


class Delivery:
    """Sends a channel's `segment`, `interim` and `error` events in the order of the audio.

    Args:
        session: Takes turns with other sessions in the pool.
        channel: Number of the channel, from 0.
        pool: Where inference happens.
        post: Sends an event.
        on_shed: Called when an interim is given up because the workers are busy.
        max_pending: Results owed before `final` waits, and with it the client.
        early_finals: Whether inference may begin before a segment's end is sure.
        monitor: Told how long things take.
        trace: Told of each segment.
    """

    def __init__(
        self,
        session: Hashable,
        channel: int,
        pool: WorkerPool,
        post: Callable[[Event], None],
        on_shed: Callable[[], None],
        *,
        max_pending: int,
        early_finals: bool,
        monitor: Monitor,
        trace: StreamTrace,
    ) -> None:
        self._session = session
        self._channel = channel
        self._pool = pool
        self._post = post
        self._on_shed = on_shed
        self._tickets: asyncio.Queue[_Ticket | None] = asyncio.Queue(max_pending)
        self._owed: set[_Ticket] = set()
        """Not delivered yet, and still wanted."""
        # A stateful model's segments run one after another: none can begin ahead of its turn.
        self._in_turn = pool.stateful
        self._state: bytes | None = None
        self._early_finals = early_finals and not self._in_turn
        self._early: _Ticket | None = None
        self._begin_later: asyncio.TimerHandle | None = None
        self._monitor = monitor
        self._model = pool.spec.name
        self._trace = trace
        self._timeline: Timeline | None = None
        """Of the segment that is open."""
        self.arrived_s = 0.0
        """When the audio came in that is being processed, on the monitor's clock."""
        self.segments = 0
        self.inference_seconds = 0.0
        self.interims = 0
        self.failures = 0

    def begin(self) -> None:
        """A segment has begun."""
        self._timeline = Timeline(self._monitor.clock())

    def pause(
        self, samples: Samples, start_time: float, end_time: float, *, spare_s: float
    ) -> None:
        """Speech has paused: begin on what is the final if it is over, in time for that.

        No sooner, because the longer a pause is, the less likely it is that speech goes on and the
        work was in vain.

        Args:
            samples: Of the segment.
            start_time: Of the segment.
            end_time: Of the segment.
            spare_s: When the segment will be over, in seconds from now.
        """
        if not self._early_finals:
            return
        timeline = self._open_timeline()
        early = _Ticket(samples, start_time, end_time, final=True, timeline=timeline)
        self._early = early
        delay_s = spare_s - self._pool.lead_seconds(len(samples))
        if delay_s > 0:
            loop = asyncio.get_running_loop()
            self._begin_later = loop.call_later(delay_s, self._begin_early, early)
        else:
            self._begin_early(early)

    def resume(self) -> None:
        """Speech goes on: what was begun in the pause is not the final."""
        early = self._forget_early()
        if early is not None:
            self._drop_early(early)

    async def final(
        self, samples: Samples, start_time: float, end_time: float, *, flushed: bool = False
    ) -> None:
        """Infer a whole segment; waits while too many results are owed already."""
        ticket = self._take_early(start_time, end_time)
        timeline = self._open_timeline()
        self._timeline = None
        timeline.inactive_s = self._monitor.clock()
        timeline.arrived_s = self.arrived_s
        if ticket is None:
            ticket = _Ticket(samples, start_time, end_time, final=True, timeline=timeline)
            timeline.submitted_s = timeline.inactive_s
            if not self._in_turn:
                self._submit(ticket)
        ticket.flushed = flushed
        self._owed.add(ticket)
        await self._tickets.put(ticket)

    def interim(self, samples: Samples, start_time: float, end_time: float) -> None:
        """Infer a segment that is still growing, unless too many results are owed already."""
        timeline = self._open_timeline()
        if self._tickets.full():
            self._monitor.interim_shed(self._model, "backlog")
            timeline.interims_shed += 1
            self._on_shed()
            return
        ticket = _Ticket(samples, start_time, end_time, final=False, timeline=timeline)
        if not self._in_turn:
            self._submit(ticket)
        self._owed.add(ticket)
        self._tickets.put_nowait(ticket)

    def drop_interims(self) -> None:
        """The segment has ended: whatever interims are still owed are not wanted any more."""
        if self._pool.drop_interim(self):
            self._on_shed()
        self._give_up([ticket for ticket in self._owed if not ticket.final])

    async def end(self) -> None:
        """Say that nothing more will be owed; `run` returns once everything is delivered."""
        await self._tickets.put(None)

    async def run(self) -> None:
        """Deliver until `end`, each result when all before it are delivered."""
        try:
            while (ticket := await self._tickets.get()) is not None:
                if not ticket.dropped:
                    await self._settle(ticket)
        finally:
            self._pool.drop_interim(self)
            self.resume()
            self._give_up([*self._owed])

    def _submit(self, ticket: _Ticket) -> Result:
        infer = self._pool.infer if ticket.final else self._pool.infer_interim
        ticket.result = infer(
            ticket.samples, session=self._session, channel=self, state=self._state
        )
        return ticket.result

    def _open_timeline(self) -> Timeline:
        if self._timeline is None:  # chunks have no beginning of their own
            self._timeline = Timeline(self._monitor.clock())
        return self._timeline

    def _begin_early(self, early: _Ticket) -> None:
        early.timeline.submitted_s = self._monitor.clock()
        early.result = self._pool.infer_early(early.samples, session=self._session, channel=self)

    def _forget_early(self) -> _Ticket | None:
        """What was to be begun in the pause."""
        if self._begin_later is not None:
            self._begin_later.cancel()
            self._begin_later = None
        early, self._early = self._early, None
        return early

    def _drop_early(self, early: _Ticket) -> None:
        if early.result is not None and self._pool.withdraw(early.result):
            self._pool.counters.early_wasted += 1
            self._monitor.early_final(self._model, used=False)

    def _take_early(self, start_time: float, end_time: float) -> _Ticket | None:
        """What was begun in the pause, if it is exactly the segment that is now final."""
        early = self._forget_early()
        if early is None or early.result is None:
            return None
        if (early.start_time, early.end_time) == (start_time, end_time):
            if self._pool.confirm(early.result):
                self._pool.counters.early_used += 1
                self._monitor.early_final(self._model, used=True)
                early.timeline.early = True
            return early
        self._drop_early(early)
        return None

    async def _settle(self, ticket: _Ticket) -> None:
        result = self._submit(ticket) if ticket.result is None else ticket.result
        await asyncio.wait((result,))
        self._owed.discard(ticket)
        # An interim may have been given up after its result was there.
        if ticket.dropped:
            return
        if result.cancelled():
            ticket.timeline.interims_shed += 1
            self._on_shed()
        elif ticket.final:
            self._deliver(ticket, result)
        elif result.exception() is None:
            self._deliver_interim(ticket, result.result())

    def _deliver(self, ticket: _Ticket, result: Result) -> None:
        """Send a final, or the error in its place."""
        error = result.exception()
        if error is None:
            inferred = result.result()
            self._state = inferred.state
            self.segments += 1
            self.inference_seconds += inferred.seconds
            self._post(
                Segment(
                    channel=self._channel,
                    output=inferred.output,
                    flushed=ticket.flushed,
                    start_time=ticket.start_time,
                    end_time=ticket.end_time,
                )
            )
            self._settled(ticket, "ok", "", inferred.attempts, inferred.output)
            return
        if not isinstance(error, InferenceError):
            raise error
        self.failures += 1
        self._state = None  # what the model remembers does not join on to what follows
        outcome = _outcome(error)
        self._post(
            Failed(
                code=outcome,
                message=str(error),
                fatal=False,
                channel=self._channel,
                start_time=ticket.start_time,
                end_time=ticket.end_time,
            )
        )
        _log.warning("%s: %s %s", outcome, error, error.where)
        self._settled(ticket, outcome, str(error), error.attempts, {})

    def _deliver_interim(self, ticket: _Ticket, inferred: Inferred) -> None:
        self._post(
            Interim(
                channel=self._channel,
                output=inferred.output,
                start_time=ticket.start_time,
                end_time=ticket.end_time,
            )
        )
        self.interims += 1
        now_s = self._monitor.clock()
        timeline = ticket.timeline
        self._monitor.interim(self._model, None if timeline.interims else now_s - timeline.active_s)
        timeline.interims.append(now_s)

    def _settled(
        self,
        ticket: _Ticket,
        outcome: Outcome,
        problem: str,
        attempts: tuple[Attempt, ...],
        output: Mapping[str, Any],
    ) -> None:
        timeline, now_s = ticket.timeline, self._monitor.clock()
        self._monitor.final(
            self._model,
            outcome,
            latency_s=now_s - timeline.arrived_s,
            wait_s=now_s - timeline.inactive_s,
            trace_id=self._trace.trace_id,
        )
        self._trace.segment(
            Settled(
                channel=self._channel,
                start_time=ticket.start_time,
                end_time=ticket.end_time,
                flushed=ticket.flushed,
                timeline=timeline,
                settled_s=now_s,
                outcome=outcome,
                problem=problem,
                attempts=attempts,
                output=output,
            )
        )

    def _give_up(self, tickets: Iterable[_Ticket]) -> None:
        """Nobody waits for these any more: what has not begun is not going to be run."""
        for ticket in tickets:
            self._owed.discard(ticket)
            ticket.drop()


def _outcome(
    error: InferenceError,
) -> Literal["inference_failed", "inference_timeout", "worker_lost"]:
    if isinstance(error, InferenceTimedOut):
        return "inference_timeout"
    return "worker_lost" if isinstance(error, WorkerLost) else "inference_failed"
