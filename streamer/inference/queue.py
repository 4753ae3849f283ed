"""Brings waiting jobs and idle workers together, and estimates how long a final takes.

Which job runs next is decided in `scheduler.py`. Nothing here depends on what a worker is.
"""

import asyncio
from collections.abc import Hashable

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
        workers: Number of workers when all are alive.
    """

    def __init__(self, scheduler: Scheduler[InferenceJob], workers: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._workers = workers
        self._scheduler = scheduler
        self._idle: dict[Hashable, asyncio.Future[JobBatch]] = {}
        """By worker, the batch that it waits for."""
        self._gathering: asyncio.TimerHandle | None = None
        self._max_wait_s = 0.0
        self._mean_s = 0.0
        """Of finals: inference time."""
        self._mean_factor = FIRST_FACTOR
        """Of finals: inference time for a second of audio."""
        self._last_batch_s = self._loop.time()
        """When a worker was given jobs last."""

    @property
    def idle_workers(self) -> int:
        """Workers that wait for a job."""
        return len(self._idle)

    @property
    def expected_wait_s(self) -> float:
        """Expected queueing time for a new session's first segment, in seconds."""
        waiting = self._scheduler.sessions_waiting
        if not waiting:
            return 0.0
        expected_s = waiting * self._mean_s / self._workers
        # The lower bound when the workers hang or are gone.
        return max(expected_s, self._loop.time() - self._last_batch_s)

    def allow_batches(self, max_size: int, max_wait_s: float) -> None:
        """Give a worker up to `max_size` jobs at once; jobs wait `max_wait_s` for each other."""
        self._scheduler.max_batch_size = max_size
        self._max_wait_s = max_wait_s

    def add(self, job: InferenceJob) -> InferenceJob | None:
        """Queue a job; returns the interim that it supersedes, if there is one."""
        superseded = self._scheduler.add(job)
        self._dispatch_soon()
        return superseded

    async def next_batch(self, worker: Hashable, lost: asyncio.Future[None]) -> JobBatch:
        """The next jobs of an idle worker.

        Args:
            worker: Which one.
            lost: Done when the worker is gone.

        Returns:
            No jobs when the worker was lost before there were any.
        """
        batch: asyncio.Future[JobBatch] = self._loop.create_future()
        self._idle[worker] = batch
        self._dispatch_soon()
        try:
            await asyncio.wait((batch, lost), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            for job in batch.result() if batch.done() else ():
                job.fail_pool_closed()
            raise
        finally:
            self._idle.pop(worker, None)
        return batch.result() if batch.done() else ()

    def finished(self, worker: Hashable, *, replaced: bool = False) -> None:
        """A worker's jobs are settled.

        Args:
            worker: Which one.
            replaced: It hung, and so asks for no more jobs: another may be allowed to have one now.
        """
        self._scheduler.finished(worker)
        if replaced:
            self._dispatch()

    def died(self, worker: Hashable, *, begun: bool = True) -> list[InferenceJob]:
        """A worker is gone; returns those of its jobs that are given up, the others run again.

        Args:
            worker: Which one.
            begun: Whether it had begun its jobs; if not, they cannot have killed it.
        """
        given_up = self._scheduler.died(worker, begun=begun)
        self._dispatch()
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

    def _dispatch_soon(self) -> None:
        """At once, unless the model prefers to wait until more jobs can go together."""
        if not self._max_wait_s or sum(self._scheduler.waiting) >= self._scheduler.max_batch_size:
            self._dispatch()
        elif self._gathering is None:
            self._gathering = self._loop.call_later(self._max_wait_s, self._dispatch)

    def _dispatch(self) -> None:
        """Give waiting jobs to idle workers."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        for worker in list(self._idle):
            jobs = self._scheduler.next_batch(worker)
            if not jobs:
                return
            self._last_batch_s = self._loop.time()
            self._idle.pop(worker).set_result(jobs)
