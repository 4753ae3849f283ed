"""The handle of a job that has been submitted to a worker pool."""

from collections.abc import Callable

from streamer.inference.job import InferenceJob, PendingInference
from streamer.inference.scheduler import Scheduler
from streamer.observe.monitor import ShedReason

Shed = Callable[[InferenceJob, ShedReason], None]
"""Counts and reports an interim that is given up, and cancels its result."""


class Submission:
    """A job that has been submitted to a pool.

    Args:
        job: What was submitted.
        scheduler: Where it waits.
        shed: Called when it is an interim and withdrawn before a worker has begun it.
    """

    __slots__ = ("_job", "_scheduler", "_shed", "result")

    def __init__(self, job: InferenceJob, scheduler: Scheduler[InferenceJob], shed: Shed) -> None:
        self._job = job
        self._scheduler = scheduler
        self._shed = shed
        self.result: PendingInference = job.result
        """Cancelled when the job was withdrawn or, as an interim, superseded."""

    def confirm(self) -> bool:
        """The segment of an early final is final now: the job joins the finals if it still waits.

        Returns:
            Whether the job was still queued: not begun, and the pool open.
        """
        return self._scheduler.confirm(self._job)

    def withdraw(self) -> bool:
        """The result is not needed any more: it is cancelled, and the job is not begun.

        An interim that still waits is counted and reported as dropped.

        Returns:
            Whether the job was still queued: not begun, not superseded, and the pool open.
        """
        waited = self._dequeue()
        self.result.cancel()  # a failure that is there already counts as retrieved
        return waited

    def _dequeue(self) -> bool:
        """Returns whether the job waited. A final keeps its turn, and is then passed over."""
        job = self._job
        if job.early:
            return self._scheduler.withdraw(job)
        waited = job.needed and not job.times_begun
        if waited and job.interim:
            dropped = self._scheduler.drop_interim(job.channel)
            assert dropped is job  # those that it superseded are cancelled
            self._shed(job, "dropped")
        return waited
