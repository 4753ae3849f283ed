"""Brings waiting jobs and idle workers together, and estimates how long a final takes.

Which job runs next is decided in `scheduler.py`. Nothing here depends on what a worker is.
"""

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Any

from streamer.inference.job import InferenceJob
from streamer.inference.scheduler import Scheduler

SMOOTHING = 1 / 16
"""Weight of the newest final in the moving averages."""

FIRST_FACTOR = 0.1
"""Seconds that a final is expected to take for a second of audio, before any has run."""

LEAD_FACTOR, LEAD_S = 1.2, 0.08
"""A factor, and seconds: an early final starts 1.2 × the expected inference time + 80 ms (transport
to a worker and back, one late window) before its segment ends. Queueing time is left out on
purpose: an earlier start is more often in vain, and lengthens the queue."""

JobBatch = tuple[InferenceJob, ...]


class JobQueue:
    """Gives waiting jobs to idle workers.

    Args:
        scheduler: Holds the jobs.
        workers: Number of workers when all are alive; see `set_workers`.
        clock: Monotonic seconds, the same clock as the jobs' `queued_s`.
    """

    def __init__(
        self,
        scheduler: Scheduler[InferenceJob],
        workers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._workers = max(1, workers)
        self._scheduler = scheduler
        self._clock = clock
        self._idle: dict[Hashable, asyncio.Future[JobBatch]] = {}
        """By worker, the batch that it waits for."""
        self._gathering: asyncio.TimerHandle | None = None
        """Gives jobs to an idle worker when they have waited for each other."""
        self._max_wait_s = 0.0
        self._mean_s = 0.0
        """Of finals: inference time."""
        self._mean_factor = FIRST_FACTOR
        """Of finals: inference time for a second of audio."""
        self._stalled_since_s: float | None = None
        """Since when a final has waited without any worker being given jobs. None = none waits."""

    @property
    def idle_workers(self) -> int:
        """Workers that wait for a job."""
        return len(self._idle)

    @property
    def expected_wait_s(self) -> float:
        """Expected queueing time for a new session's first segment, in seconds."""
        if self._stalled_since_s is None:
            return 0.0
        # Two estimates: by number, and by length. The first is too high when the finals that wait
        # are shorter than those before, the second when short ones cost more than their length.
        media_s = sum(job.media_s for job in self._scheduler.next_turns())
        by_number_s = self._scheduler.sessions_waiting * self._mean_s
        expected_s = min(by_number_s, media_s * self._mean_factor) / self._workers
        # The lower bound when the workers hang or are gone.
        return max(expected_s, self._clock() - self._stalled_since_s)

    def allow_batches(self, max_size: int, max_wait_s: float) -> None:
        """Give a worker up to `max_size` jobs at once; jobs wait `max_wait_s` for each other."""
        self._scheduler.max_batch_size = max_size
        self._max_wait_s = max_wait_s

    def set_workers(self, workers: int) -> None:
        """Workers have come or gone for longer."""
        self._workers = max(1, workers)
        self._scheduler.set_workers(self._workers)
        self._changed()

    def add(self, job: InferenceJob) -> InferenceJob | None:
        """Queue a job; returns the interim that it supersedes, if there is one."""
        superseded = self._scheduler.add(job)
        if superseded is not None:
            job.gathering_since_s = superseded.gathering_since_s  # it takes over the turn
        self._changed()
        return superseded

    def confirm(self, job: InferenceJob) -> bool:
        """An early job is a final now; returns whether it waited, and so joins the finals."""
        waited = self._scheduler.confirm(job)
        self._changed()
        return waited

    def demote(self, job: InferenceJob) -> None:
        """An early job that a worker has begun is an interim now."""
        self._scheduler.demote(job)

    def withdraw(self, job: InferenceJob) -> bool:
        """A job is not needed any more; returns whether it waited."""
        waited = self._scheduler.withdraw(job)
        self._changed()
        return waited

    async def next_batch(self, worker: Hashable, *ends: asyncio.Future[None]) -> JobBatch:
        """The next jobs of an idle worker.

        Args:
            worker: Which one.
            ends: One of them is done when the worker takes no more jobs.

        Returns:
            No jobs when the worker takes none any more, and has been given none.
        """
        batch: asyncio.Future[JobBatch] = self._loop.create_future()
        self._idle[worker] = batch
        self._changed()
        try:
            waits: list[asyncio.Future[Any]] = [batch, *ends]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            for job in batch.result() if batch.done() else ():
                job.fail_pool_closed()
            raise
        finally:
            self._idle.pop(worker, None)
        return batch.result() if batch.done() else ()

    def finished(self, worker: Hashable) -> None:
        """A worker's jobs are settled. It may not ask for more, so another may have them now."""
        self._scheduler.finished(worker)
        self._changed()

    def died(self, worker: Hashable, *, begun: bool = True) -> list[InferenceJob]:
        """A worker is gone; returns those of its jobs that are given up, the others run again.

        Args:
            worker: Which one.
            begun: Whether it had begun its jobs; if not, they cannot have killed it.
        """
        given_up = self._scheduler.died(worker, begun=begun)
        self._changed()
        return given_up

    def record_duration(self, seconds: float, media_s: float) -> None:
        """A worker took `seconds` for a final of `media_s` seconds of audio."""
        self._mean_s += (seconds - self._mean_s) * SMOOTHING
        if media_s:
            # A very short segment is a poor measure of what a second takes.
            weight = SMOOTHING * min(media_s, 1.0)
            self._mean_factor += (seconds / media_s - self._mean_factor) * weight

    def lead_seconds(self, media_s: float) -> float:
        """How many seconds before its result is needed a segment of `media_s` should be queued."""
        return LEAD_FACTOR * self._mean_factor * media_s + LEAD_S

    def close(self) -> None:
        """Fail all jobs that wait: there are no workers any more."""
        for job in self._scheduler.drain():
            job.fail_pool_closed()
        self._changed()

    def _changed(self) -> None:
        """Jobs or idle workers have come or gone."""
        self._note_progress(given=False)
        self._dispatch(self._clock())

    def _note_progress(self, *, given: bool) -> None:
        """Note since when finals wait in vain; `given`: a worker has just been given jobs."""
        if not self._scheduler.sessions_waiting:
            self._stalled_since_s = None
        elif given or self._stalled_since_s is None:
            self._stalled_since_s = self._clock()

    def _dispatch(self, now_s: float) -> None:
        """Give waiting jobs to idle workers, or set the timer if they wait for each other."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        for worker in list(self._idle):
            due_s = self._due_s()
            if due_s is not None and due_s > now_s:
                # A timer may be early by a little; its jobs have waited all the same.
                self._gathering = self._loop.call_later(due_s - now_s, self._dispatch, due_s)
                return
            jobs = self._scheduler.next_batch(worker)
            if not jobs:
                return
            self._note_progress(given=True)
            self._idle.pop(worker).set_result(jobs)

    def _due_s(self) -> float | None:
        """Until when the next batch waits for more jobs; None = it does not."""
        if not self._max_wait_s or self._scheduler.batch_complete or self._scheduler.retry_waits:
            return None
        first_s = min((job.gathering_since_s for job in self._scheduler.runnable()), default=None)
        return None if first_s is None else first_s + self._max_wait_s
