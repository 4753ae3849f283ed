"""What a channel has not sent: its results and answers in the order of the audio."""

from collections.abc import Callable

from streamer.pipeline.outbox import Outbox
from streamer.pipeline.pending import PendingAnswer, PendingQueue, PendingResult
from streamer.protocol.actions import Cleared
from streamer.protocol.events import Active, Flushed, Inactive, Resumed


class UnsentResults:
    """Results wait for their turn; `active` and `inactive` wait only for an answer before them.

    Args:
        max_items: Results and answers that may wait.
        outbox: Of the stream.
        clock: Monotonic seconds.
    """

    def __init__(self, max_items: int, outbox: Outbox, clock: Callable[[], float]) -> None:
        self._outbox = outbox
        self._clock = clock
        self._queue: PendingQueue[PendingResult | PendingAnswer | None] = PendingQueue(max_items)
        """In the order of the audio; None = there are no more."""
        self._last_answer: PendingAnswer | None = None
        """That of the last flush or clear; None = it is sent."""
        self._results: set[PendingResult] = set()
        """Those that are neither sent nor withdrawn."""
        self._sent_s = clock()
        """When the last of them was sent."""

    @property
    def idle_since_s(self) -> float | None:
        """Since when no result is pending, on the clock; None = one is."""
        return None if self._results else self._sent_s

    @property
    def full(self) -> bool:
        """Whether as many wait as may."""
        return self._queue.full()

    @property
    def results(self) -> list[PendingResult]:
        """Those that are neither sent nor withdrawn."""
        return [*self._results]

    def __contains__(self, pending: PendingResult) -> bool:
        return pending in self._results

    def post(self, event: Active | Inactive | Resumed) -> None:
        """Send an event that needs no result: at once, or after the answer before it."""
        if self._last_answer is None:
            self._outbox.post(event)
        else:
            self._last_answer.held.append(event)

    async def add(self, pending: PendingResult) -> None:
        """Append a result; waits until there is room."""
        self._results.add(pending)
        await self._queue.put(pending)

    def add_nowait(self, pending: PendingResult) -> None:
        """Append a result; there must be room."""
        self._results.add(pending)
        self._queue.put_nowait(pending)

    async def answer_in_turn(self, answer: Flushed | Cleared) -> None:
        """Send an answer once all results so far are sent; waits until there is room for it."""
        pending = PendingAnswer(answer)
        self._last_answer = pending
        await self._queue.put(pending)

    async def no_more(self) -> None:
        """Nothing will be added."""
        await self._queue.put(None)

    async def next_result(self) -> PendingResult | None:
        """Take the next result that is wanted; answers before it are sent. None = no more."""
        while (pending := await self._queue.get()) is not None:
            if isinstance(pending, PendingAnswer):
                self._send_answer(pending)
            elif not pending.withdrawn:
                return pending
        return None

    def done(self, pending: PendingResult) -> None:
        """A result that was taken is sent now, or never."""
        self._results.discard(pending)
        self._sent_s = self._clock()

    def discard(self, pending: PendingResult) -> None:
        """A result is not sent."""
        self._results.discard(pending)
        self._queue.discard(pending)

    def discard_waiting(self, pending: PendingResult) -> bool:
        """A result is not sent, if it waits for its turn; returns whether it did."""
        waited = self._queue.discard(pending)
        if waited:
            self._results.discard(pending)
        return waited

    def _send_answer(self, pending: PendingAnswer) -> None:
        self._outbox.post(pending.answer)
        for event in pending.held:
            self._outbox.post(event)
        if self._last_answer is pending:
            self._last_answer = None
