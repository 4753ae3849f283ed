"""The final of a segment that may be over: begun during the silence, kept if it stays silent."""

import asyncio
from collections.abc import Hashable

from streamer.inference.pool import WorkerPool
from streamer.monitor import Monitor
from streamer.owed import Owed


class EarlyFinal:
    """The one of a channel.

    Args:
        session: Takes turns with other sessions in the pool.
        channel: Whose it is, as the pool knows it.
        pool: Where inference happens.
        monitor: Told what was of use and what was not.
    """

    def __init__(
        self, session: Hashable, channel: Hashable, pool: WorkerPool, monitor: Monitor
    ) -> None:
        self._session = session
        self._channel = channel
        self._pool = pool
        self._monitor = monitor
        self._owed: Owed | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, owed: Owed, spare_s: float) -> None:
        """Infer in time for the segment's end, and no sooner.

        The longer a pause is, the less likely it is that speech goes on and the work was in vain.

        Args:
            owed: The final, if the segment is over.
            spare_s: When it will be, in seconds from now.
        """
        self._owed = owed
        delay_s = spare_s - self._pool.lead_seconds(owed.end_time - owed.start_time)
        if delay_s > 0:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._infer, owed)
        else:
            self._infer(owed)

    def drop(self) -> None:
        """Speech goes on, or nobody listens any more."""
        owed = self._forget()
        if owed is not None:
            self._withdraw(owed)

    def take(self, start_time: float, end_time: float) -> Owed | None:
        """What was begun, if it is exactly the segment that is now final."""
        owed = self._forget()
        if owed is None or owed.result is None:
            return None
        if (owed.start_time, owed.end_time) != (start_time, end_time):
            self._withdraw(owed)
            return None
        if self._pool.confirm(owed.result):
            self._pool.counters.early_used += 1
            self._monitor.early_final(self._pool.spec.name, used=True)
            owed.timeline.early = True
        return owed

    def _infer(self, owed: Owed) -> None:
        owed.timeline.submitted_s = self._monitor.clock()
        owed.submitted(
            self._pool.infer_early(owed.audio, session=self._session, channel=self._channel)
        )

    def _forget(self) -> Owed | None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        owed, self._owed = self._owed, None
        return owed

    def _withdraw(self, owed: Owed) -> None:
        if owed.result is not None and self._pool.withdraw(owed.result):
            self._pool.counters.early_wasted += 1
            self._monitor.early_final(self._pool.spec.name, used=False)
