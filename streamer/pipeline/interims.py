"""One channel's interims: those that are not sent yet, and which of them are given up."""

from functools import partial

from streamer.inference.job import PendingInference
from streamer.observe.monitor import Monitor, ShedReason
from streamer.pipeline.early_final import EarlyFinal
from streamer.pipeline.pending import PendingResult, ResultSettings
from streamer.pipeline.sender import ResultSender
from streamer.pipeline.submitter import SegmentSubmitter
from streamer.pipeline.unsent import UnsentResults


class ChannelInterims:
    """Those of the channel's open segment, and its early final for as long as it is one of them.

    Args:
        unsent: What the channel has not sent.
        early: The early final, which counts as an interim only once speech has resumed.
        submitter: Has interims inferred.
        sender: Warns the client when interims are given up.
        monitor: Is told so, too.
    """

    def __init__(
        self,
        unsent: UnsentResults,
        early: EarlyFinal,
        submitter: SegmentSubmitter,
        sender: ResultSender,
        monitor: Monitor,
    ) -> None:
        self._unsent = unsent
        self._early = early
        self._submitter = submitter
        self._sender = sender
        self._monitor = monitor

    def have_room(self, settings: ResultSettings) -> bool:
        """Whether not too many results are pending for another interim; else it is given up."""
        if not self._unsent.full:
            return True
        self._count_shed(settings, "backlog")
        self._sender.warn_interim_shed()
        return False

    def submit(self, pending: PendingResult) -> None:
        """Have an interim inferred, for which there is room."""
        if pending.settings.pool.stateful:
            self._supersede_unsubmitted()
        else:
            self._submitter.submit(pending, "interim")
            self.discard_superseded()
        self.add(pending)

    def add(self, pending: PendingResult) -> None:
        """A result that is sent as an interim, and for which there is room, waits for its turn."""
        self._unsent.add_nowait(pending)
        if pending.submission is not None:
            pending.submission.result.add_done_callback(partial(self._overtake, pending))

    def discard_superseded(self) -> None:
        """The newest interim may have superseded another in the pool, which still waits here."""
        for pending in self._unsent.results:
            if pending.cancelled and self._unsent.discard_waiting(pending):
                self.note_shed(pending)

    def withdraw_all(self) -> None:
        """The segment has ended: its interims that are not sent are not needed any more."""
        for pending in self._pending:
            if self.withdraw(pending):
                self.note_shed(pending)
            elif pending.submission is None:
                self._shed(pending, "dropped")

    def withdraw(self, pending: PendingResult) -> bool:
        """A result is not needed any more; returns whether it waited for a worker."""
        self._unsent.discard(pending)
        withdrawn_in_time = pending.withdraw()
        if pending.early is not None and not withdrawn_in_time:  # a worker has begun it
            self._early.count(pending, "shown" if pending.early == "shown" else "wasted")
        return withdrawn_in_time

    def note_shed(self, pending: PendingResult) -> None:
        """An interim was given up: its client learns it, and so does who looks at its segment."""
        pending.timeline.interims_shed += 1
        self._sender.warn_interim_shed()

    @property
    def _pending(self) -> list[PendingResult]:
        """Those that are not sent, without an early final that may still be the final."""
        early = self._early.current
        return [each for each in self._unsent.results if not each.final and each is not early]

    def _supersede_unsubmitted(self) -> None:
        """As the pool would, if it had them: of the interims that wait, the newest is enough."""
        for pending in self._unsent.results:
            if not pending.final and not pending.submission:
                self.withdraw(pending)
                self._shed(pending, "superseded")

    def _overtake(self, pending: PendingResult, result: PendingInference) -> None:
        """An interim is there before others of less audio: it does not wait for them."""
        if pending.withdrawn or result.cancelled() or result.exception() is not None:
            return
        for older in self._pending:
            submission = older.submission
            if submission is None or older.end_time >= pending.end_time or submission.result.done():
                continue
            if not submission.withdraw_waiting():
                self.withdraw(older)
        self.discard_superseded()

    def _shed(self, pending: PendingResult, reason: ShedReason) -> None:
        """An interim that the pool never had is given up."""
        self._count_shed(pending.settings, reason)
        self.note_shed(pending)

    def _count_shed(self, settings: ResultSettings, reason: ShedReason) -> None:
        settings.pool.counters.interims_shed += 1
        self._monitor.interim_shed(settings.model, reason)
