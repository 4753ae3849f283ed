"""A job that has been submitted to a pool, for the one who has submitted it."""

from collections.abc import Callable
from typing import Literal

from streamer.inference.job import InferenceJob, PendingInference
from streamer.inference.queue import JobQueue
from streamer.observe.monitor import ShedReason

Shed = Callable[[InferenceJob, ShedReason], None]
"""Counts and reports an interim that is given up, and cancels its result."""


Demotion = Literal["waits", "begun", "given up"]


class Submission:
    """A job that has been submitted to a pool.

    Args:
        job: What was submitted.
        queue: Where it waits.
        shed: Called when it is an interim and withdrawn before a worker has begun it.
    """

    __slots__ = ("_job", "_queue", "_shed", "result")

    def __init__(self, job: InferenceJob, queue: JobQueue, shed: Shed) -> None:
        self._job = job
        self._queue = queue
        self._shed = shed
        self.result: PendingInference = job.result
        """Cancelled when the job was withdrawn or, as an interim, superseded."""

    def confirm(self) -> bool:
        """The segment of an early final is final now: the job joins the finals if it still waits.

        Returns:
            Whether the job was still queued: not begun, or to be tried again, and the pool open.
        """
        return self._queue.confirm(self._job)

    def demote(self) -> Demotion:
        """Speech goes on: an early final is an interim now, if its result is wanted all the same.

        Returns:
            `waits`: it waits as an interim, in the place of one of its channel that waited.
            `begun`: a worker has begun it, or is done. `given up`: it was to be tried again, and
            interims are not.
        """
        job = self._job
        if not self._queue.withdraw(job):
            self._queue.demote(job)
            return "begun"
        if job.times_begun:
            self.result.cancel()
            return "given up"
        job.early, job.interim = False, True
        if superseded := self._queue.add(job):
            self._shed(superseded, "superseded")
        return "waits"

    def withdraw(self) -> bool:
        """The result is not needed any more: it is cancelled, and the job is not begun.

        An interim that still waits is counted and reported as dropped.

        Returns:
            Whether the job was still queued: not begun, or to be tried again, not superseded, and
            the pool open.
        """
        waited = self._queue.withdraw(self._job)
        if waited and self._job.interim:
            self._shed(self._job, "dropped")
        self.result.cancel()  # a failure that is there already counts as retrieved
        return waited

    def withdraw_waiting(self) -> bool:
        """A newer result is enough, unless a worker has begun this one; returns as `withdraw`.

        An interim is counted and reported as superseded.
        """
        waited = self._queue.withdraw(self._job)
        if waited and self._job.interim:
            self._shed(self._job, "superseded")
        elif waited:
            self.result.cancel()
        return waited
