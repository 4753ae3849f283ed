"""Gives one channel's segments to the pool, with the draft and the state that belong to them."""

from streamer.inference.drafts import SegmentDraft
from streamer.inference.job import JobKind
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from streamer.pipeline.pending import PendingResult


class SegmentSubmitter:
    """One channel's way into the pools.

    Args:
        session_id: Whose segments these are.
    """

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        self._key = object()
        """The channel in the pool. Not `self`: jobs must not keep a stream alive that has ended."""
        self._draft: SegmentDraft | None = None
        """Of the open segment; None before its first inference, and if the model uses none."""
        self._state: tuple[WorkerPool, bytes | None] | None = None
        """That of a stateful model after the last segment."""

    def submit(self, pending: PendingResult, kind: JobKind) -> Submission:
        """Have a segment inferred."""
        pool, state = pending.settings.pool, None
        if self._state is not None and self._state[0] is pool:
            state = self._state[1]
        submission = pool.submit(
            pending.audio,
            kind,
            session=self._session_id,
            channel=self._key,
            state=state,
            request=pending.request,
            draft=self._draft_of_segment(pool, kind),
        )
        pending.submitted(submission)
        return submission

    def segment_over(self) -> None:
        """What is submitted from now on is of another segment."""
        self._draft = None

    def remember(self, pending: PendingResult, state: bytes | None) -> None:
        """Keep what a stateful model has after a segment, for the next one."""
        self._state = pending.settings.pool, state

    def forget(self) -> None:
        """A segment has failed: the model's memory does not join on to what follows."""
        self._state = None

    def _draft_of_segment(self, pool: WorkerPool, kind: JobKind) -> SegmentDraft | None:
        """That of the open segment; if there is none yet, an interim begins one for those after it.

        A stateful model has none: its finals are submitted in turn, when another segment may be
        open.
        """
        if pool.stateful or not pool.uses_drafts:
            return None
        if self._draft is None and kind != "final":
            self._draft = SegmentDraft()
        return self._draft
