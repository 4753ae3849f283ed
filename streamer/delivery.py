"""One channel's results: inferred at once and out of order, delivered in order."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streamer.inference.pool import (
    InferenceError,
    InferenceTimedOut,
    Result,
    WorkerLost,
    WorkerPool,
)
from streamer.messages import ErrorCode, Event, Failed, Interim, Segment

Samples = npt.NDArray[np.float32]

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Ticket:
    """A result that is owed; times in seconds from the start of the stream."""

    samples: Samples
    start_time: float
    end_time: float
    final: bool
    flushed: bool = False
    dropped: bool = False
    """Nobody wants it any more."""
    result: Result | None = None
    """None until it is in the pool."""

    def drop(self) -> None:
        self.dropped = True
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
        self.segments = 0

    def pause(self, samples: Samples, start_time: float, end_time: float) -> None:
        """Speech has paused: if a worker is idle, begin on what is the final if it is over."""
        if not self._early_finals:
            return
        result = self._pool.infer_early(samples, session=self._session, channel=self)
        if result is not None:
            self._early = _Ticket(samples, start_time, end_time, final=True, result=result)

    def resume(self) -> None:
        """Speech goes on: what was begun in the pause is not the final."""
        if self._early is not None:
            self._pool.counters.early_wasted += 1
            self._early.drop()
            self._early = None

    async def final(
        self, samples: Samples, start_time: float, end_time: float, *, flushed: bool = False
    ) -> None:
        """Infer a whole segment; waits while too many results are owed already."""
        ticket = self._take_early(start_time, end_time)
        if ticket is None:
            ticket = _Ticket(samples, start_time, end_time, final=True)
            if not self._in_turn:
                self._submit(ticket)
        ticket.flushed = flushed
        self._owed.add(ticket)
        await self._tickets.put(ticket)

    def interim(self, samples: Samples, start_time: float, end_time: float) -> None:
        """Infer a segment that is still growing, unless too many results are owed already."""
        if self._tickets.full():
            self._on_shed()
            return
        ticket = _Ticket(samples, start_time, end_time, final=False)
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

    def _take_early(self, start_time: float, end_time: float) -> _Ticket | None:
        """What was begun in the pause, if it is exactly the segment that is now final."""
        early, self._early = self._early, None
        if early is None:
            return None
        if (early.start_time, early.end_time) == (start_time, end_time):
            self._pool.counters.early_used += 1
            return early
        self._pool.counters.early_wasted += 1
        early.drop()
        return None

    async def _settle(self, ticket: _Ticket) -> None:
        result = self._submit(ticket) if ticket.result is None else ticket.result
        await asyncio.wait((result,))
        self._owed.discard(ticket)
        # An interim may have been given up after its result was there.
        if ticket.dropped:
            return
        if result.cancelled():
            self._on_shed()
        else:
            self._deliver(ticket, result)

    def _deliver(self, ticket: _Ticket, result: Result) -> None:
        times = {"start_time": ticket.start_time, "end_time": ticket.end_time}
        error = result.exception()
        if error is not None:
            if ticket.final:
                self._state = None  # what the model remembers does not join on to what follows
                self._post(self._failure(error, times))
            return
        inferred = result.result()
        if ticket.final:
            self._state = inferred.state
            self.segments += 1
            segment = Segment(
                channel=self._channel, output=inferred.output, flushed=ticket.flushed, **times
            )
            self._post(segment)
        else:
            self._post(Interim(channel=self._channel, output=inferred.output, **times))

    def _failure(self, error: BaseException, times: dict[str, float]) -> Failed:
        if not isinstance(error, InferenceError):
            raise error
        code: ErrorCode = "inference_failed"
        if isinstance(error, InferenceTimedOut):
            code = "inference_timeout"
        elif isinstance(error, WorkerLost):
            code = "worker_lost"
        _log.warning("%s: %s", code, error)
        return Failed(code=code, message=str(error), fatal=False, channel=self._channel, **times)

    def _give_up(self, tickets: Iterable[_Ticket]) -> None:
        """Nobody waits for these any more: what has not begun is not going to be run."""
        for ticket in tickets:
            self._owed.discard(ticket)
            ticket.drop()
