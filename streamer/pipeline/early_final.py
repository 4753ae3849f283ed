"""The final of the open segment, begun in a pause, in case speech does not resume."""

from collections.abc import Callable

from streamer.inference.job import JobKind
from streamer.observe.monitor import EarlyOutcome, Monitor
from streamer.pipeline.pending import PendingResult


class EarlyFinal:
    """That of one channel: it has at most one.

    Args:
        submit: Has a result inferred.
        monitor: For times, and for what becomes of early finals.

    Attributes:
        current: None while speech does not pause.
    """

    def __init__(
        self, submit: Callable[[PendingResult, JobKind], object], monitor: Monitor
    ) -> None:
        self.current: PendingResult | None = None
        self._submit = submit
        self._monitor = monitor

    def begin(self, pending: PendingResult) -> None:
        """Speech has paused, and this is the final if it does not resume."""
        pending.final, pending.early = False, "open"
        pending.timeline.submitted_s = self._monitor.clock()
        self.current = pending
        self._submit(pending, "early")

    def confirm(self, start_time: float, end_time: float) -> PendingResult | None:
        """The segment has ended: returns its final if it has begun.

        None = there is none, or it is not of exactly the segment, and is still `current`.
        """
        pending = self.current
        if pending is None or not pending.covers(start_time, end_time):
            return None
        self.current = None
        pending.final = True
        assert pending.submission is not None  # `begin` has submitted it
        if pending.submission.confirm():  # it waits still
            pending.early = None
        else:
            self.count(pending, "used")
            pending.timeline.early = True
        return pending

    def become_interim(self) -> bool:
        """Speech goes on, and the result is wanted as an interim all the same.

        Returns:
            False if there will be none: it is to be withdrawn.
        """
        pending = self.end()
        assert pending is not None
        assert pending.submission is not None  # `begin` has submitted it
        demotion = pending.submission.demote()
        if demotion == "waits":
            pending.early = None
        return demotion != "given up"

    def end(self) -> PendingResult | None:
        """It is no early final any more; returns what was one."""
        pending, self.current = self.current, None
        return pending

    def count(self, pending: PendingResult, outcome: EarlyOutcome) -> None:
        """An early final that a worker has begun: this has become of it."""
        pending.early = None
        result = pending.submission and pending.submission.result
        wasted_s = 0.0  # the time of what still runs is counted when the worker has answered
        if outcome == "wasted" and result and not result.cancelled() and not result.exception():
            wasted_s = result.result().seconds
        pending.settings.pool.counters.count_early(outcome, wasted_s)
        self._monitor.early_final(pending.settings.model, outcome)
