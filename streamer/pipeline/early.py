"""The final of a segment that may be over: begun during the silence, kept if it stays silent."""

from collections.abc import Hashable

from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from streamer.observe.monitor import Monitor
from streamer.pipeline.owed import Owed


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
        self._begun: tuple[Owed, Submission] | None = None

    def lead_seconds(self, media_s: float) -> float:
        """How long before the end of a segment of this length it is to begin, to be in time.

        And no sooner: the longer a pause is, the less likely it is that speech goes on and the
        work was in vain.
        """
        return self._pool.queue.lead_seconds(media_s)

    def begin(self, owed: Owed) -> None:
        """Infer what is the final, if the segment is over."""
        owed.timeline.submitted_s = self._monitor.clock()
        submission = self._pool.submit(
            owed.audio, "early", session=self._session, channel=self._channel
        )
        owed.submitted(submission)
        self._begun = owed, submission

    def drop(self) -> None:
        """Speech goes on, or nobody listens any more."""
        if self._begun is None:
            return
        (_, submission), self._begun = self._begun, None
        if submission.withdraw():
            self._pool.counters.early_wasted += 1
            self._monitor.early_final(self._pool.spec.name, used=False)

    def take(self, start_time: float, end_time: float) -> Owed | None:
        """What was begun, if it is exactly the segment that is now final."""
        if self._begun is None:
            return None
        owed, submission = self._begun
        if (owed.start_time, owed.end_time) != (start_time, end_time):
            self.drop()
            return None
        self._begun = None
        if submission.confirm():
            self._pool.counters.early_used += 1
            self._monitor.early_final(self._pool.spec.name, used=True)
            owed.timeline.early = True
        return owed
