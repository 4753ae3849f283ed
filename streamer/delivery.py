"""One channel's results: inferred at once and out of order, delivered in order."""

import asyncio
import logging
from collections.abc import Callable, Iterable
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

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Ticket:
    """A result that is owed; times in seconds from the start of the stream."""

    result: Result
    start_time: float
    end_time: float
    final: bool
    flushed: bool = False


class Delivery:
    """Sends a channel's `segment`, `interim` and `error` events in the order of the audio.

    Args:
        channel: Number of the channel, from 0.
        pool: Where inference happens.
        post: Sends an event.
        max_pending: Results owed before `final` waits, and with it the client.
    """

    def __init__(
        self,
        channel: int,
        pool: WorkerPool,
        post: Callable[[Event], None],
        max_pending: int,
    ) -> None:
        self._channel = channel
        self._pool = pool
        self._post = post
        self._tickets: asyncio.Queue[_Ticket | None] = asyncio.Queue(max_pending)
        self._owed: set[_Ticket] = set()
        """Not delivered yet, and still wanted."""
        self.segments = 0

    async def final(
        self,
        samples: npt.NDArray[np.float32],
        start_time: float,
        end_time: float,
        *,
        flushed: bool = False,
    ) -> None:
        """Infer a whole segment; waits while too many results are owed already."""
        result = self._pool.infer(samples)
        ticket = _Ticket(result, start_time, end_time, final=True, flushed=flushed)
        self._owed.add(ticket)
        await self._tickets.put(ticket)

    def interim(self, samples: npt.NDArray[np.float32], start_time: float, end_time: float) -> None:
        """Infer a segment that is still growing, unless too many results are owed already."""
        if self._tickets.full():
            return
        result = self._pool.infer_interim(self, samples)
        ticket = _Ticket(result, start_time, end_time, final=False)
        self._owed.add(ticket)
        self._tickets.put_nowait(ticket)

    def drop_interims(self) -> None:
        """The segment has ended: whatever interims are still owed are not wanted any more."""
        self._pool.drop_interim(self)
        self._give_up([ticket for ticket in self._owed if not ticket.final])

    async def end(self) -> None:
        """Say that nothing more will be owed; `run` returns once everything is delivered."""
        await self._tickets.put(None)

    async def run(self) -> None:
        """Deliver until `end`, each result when all before it are delivered."""
        try:
            while (ticket := await self._tickets.get()) is not None:
                await asyncio.wait((ticket.result,))
                # An interim may have been given up after its result was there.
                if ticket in self._owed and not ticket.result.cancelled():
                    self._deliver(ticket)
                self._owed.discard(ticket)
        finally:
            self._pool.drop_interim(self)
            self._give_up([*self._owed])

    def _deliver(self, ticket: _Ticket) -> None:
        times = {"start_time": ticket.start_time, "end_time": ticket.end_time}
        error = ticket.result.exception()
        if error is not None:
            if ticket.final:
                self._post(self._failure(error, times))
            return
        output = ticket.result.result()
        if ticket.final:
            self.segments += 1
            self._post(
                Segment(channel=self._channel, output=output, flushed=ticket.flushed, **times)
            )
        else:
            self._post(Interim(channel=self._channel, output=output, **times))

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
            if not ticket.result.cancel() and not ticket.result.cancelled():
                ticket.result.exception()  # asyncio complains of a failure that nobody looks at
