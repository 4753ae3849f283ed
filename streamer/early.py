"""The final of a segment that may be over: begun during the silence, kept if it stays silent."""

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

    def lead_seconds(self, media_s: float) -> float:
        """How long before the end of a segment of this length it is to begin, to be in time.

        And no sooner: the longer a pause is, the less likely it is that speech goes on and the
        work was in vain.
        """
        return self._pool.lead_seconds(media_s)

    def begin(self, owed: Owed) -> None:
        """Infer what is the final, if the segment is over."""
        self._owed = owed
        owed.timeline.submitted_s = self._monitor.clock()
        owed.submitted(
            self._pool.infer_early(owed.audio, session=self._session, channel=self._channel)
        )

    def drop(self) -> None:
        """Speech goes on, or nobody listens any more."""
        owed, self._owed = self._owed, None
        if owed is not None:
            self._withdraw(owed)

    def take(self, start_time: float, end_time: float) -> Owed | None:
        """What was begun, if it is exactly the segment that is now final."""
        owed = self._owed
        if owed is None or owed.result is None:
            return None
        if (owed.start_time, owed.end_time) != (start_time, end_time):
            self.drop()
            return None
        self._owed = None
        if self._pool.confirm(owed.result):
            self._pool.counters.early_used += 1
            self._monitor.early_final(self._pool.spec.name, used=True)
            owed.timeline.early = True
        return owed

    def _withdraw(self, owed: Owed) -> None:
        if owed.result is not None and self._pool.withdraw(owed.result):
            self._pool.counters.early_wasted += 1
            self._monitor.early_final(self._pool.spec.name, used=False)
