"""Jobs that wait, and workers that wait for one. What goes first is `scheduler.py`'s to say.

Nothing here waits for a worker, and nothing knows what a worker is.
"""

import asyncio
from collections.abc import Hashable

from streamer.inference.job import Inference
from streamer.inference.scheduler import Scheduler

SMOOTHING = 1 / 16
"""Weight of the newest final in the average of what one takes."""

FIRST_FACTOR = 0.1
"""What a final is thought to take for a second of audio, before one has been seen."""

LEAD_FACTOR, LEAD_S = 1.2, 0.08
"""A result that is to be there in time is asked for so much sooner than the average takes: a fifth
as long again, and what the way to a worker and back takes, and a window of audio that is late.
Never how long it would have to wait for a worker: what is begun sooner is in vain more often, and
makes the queue longer."""

Jobs = tuple[Inference, ...]


class JobQueue:
    """Brings jobs and idle workers together.

    Args:
        workers: How many there are meant to be.
    """

    def __init__(self, workers: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._workers = workers
        self._scheduler: Scheduler[Inference] = Scheduler(workers)
        self._offers: dict[Hashable, asyncio.Future[Jobs]] = {}
        self._gathering: asyncio.TimerHandle | None = None
        self._max_wait_s = 0.0
        self._mean_s = 0.0
        self._mean_factor = FIRST_FACTOR
        """Of finals: inference time for a second of audio."""
        self._last_taken_s = self._loop.time()

    @property
    def idle_workers(self) -> int:
        """Workers that wait for a job."""
        return len(self._offers)

    @property
    def finals_waiting(self) -> int:
        """Segments that no worker has begun."""
        return self._scheduler.finals_waiting

    @property
    def interims_waiting(self) -> int:
        """Growing segments that no worker has begun."""
        return self._scheduler.interims_waiting

    @property
    def seconds(self) -> float:
        """How long the segment of a session that comes now would wait for a worker, about."""
        waiting = self._scheduler.sessions_waiting
        if not waiting:
            return 0.0
        expected_s = waiting * self._mean_s / self._workers
        # What is known for sure, when the workers hang or are gone.
        return max(expected_s, self._loop.time() - self._last_taken_s)

    def batch(self, max_size: int, max_wait_s: float) -> None:
        """Jobs may go together, so many, and wait so long for each other."""
        self._scheduler.max_batch_size = max_size
        self._max_wait_s = max_wait_s

    def add(self, job: Inference) -> Inference | None:
        """Queue a job; returns the interim that it supersedes, if there is one."""
        superseded = self._scheduler.add(job)
        self._dispatch_soon()
        return superseded

    def confirm(self, job: Inference) -> bool:
        """An early job is final now; returns whether it waited."""
        return self._scheduler.confirm(job)

    def withdraw(self, job: Inference) -> bool:
        """An early job is not wanted any more; returns whether it waited."""
        return self._scheduler.withdraw(job)

    def drop_interim(self, channel: Hashable) -> Inference | None:
        """Take out the waiting interim of a channel, if there is one."""
        return self._scheduler.drop_interim(channel)

    async def next(self, worker: Hashable, lost: asyncio.Future[None]) -> Jobs:
        """The next jobs of a worker, or none when it was lost before there were any."""
        offer: asyncio.Future[Jobs] = self._loop.create_future()
        self._offers[worker] = offer
        self._dispatch_soon()
        try:
            await asyncio.wait((offer, lost), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            for job in offer.result() if offer.done() else ():
                job.close()
            raise
        finally:
            self._offers.pop(worker, None)
        return offer.result() if offer.done() else ()

    def finished(self, worker: Hashable) -> None:
        """A worker has answered its jobs."""
        self._scheduler.finished(worker)

    def hung(self, worker: Hashable) -> None:
        """A worker is given up, and its jobs with it."""
        self._scheduler.finished(worker)
        self._dispatch()

    def died(self, worker: Hashable, *, begun: bool = True) -> list[Inference]:
        """A worker is gone; returns those of its jobs that are given up, the others run again.

        Args:
            worker: Which one.
            begun: Whether it had begun its jobs; if not, they cannot have killed it.
        """
        given_up = self._scheduler.died(worker, begun=begun)
        self._dispatch()
        return given_up

    def took(self, seconds: float, media_s: float) -> None:
        """A final of so many seconds of audio has taken a worker so long."""
        self._mean_s += (seconds - self._mean_s) * SMOOTHING
        if media_s:
            # A moment of audio says little of what a second takes.
            weight = SMOOTHING * min(media_s, 1.0)
            self._mean_factor += (seconds / media_s - self._mean_factor) * weight

    def lead_seconds(self, media_s: float) -> float:
        """How long before it is needed a result for so much audio should be asked for."""
        return LEAD_FACTOR * self._mean_factor * media_s + LEAD_S

    def close(self) -> None:
        """There is nobody to run what waits."""
        for job in self._scheduler.drain():
            job.close()

    def _dispatch_soon(self) -> None:
        """At once, unless the model would rather wait until more jobs can go together."""
        waiting = self.finals_waiting + self._scheduler.early_waiting + self.interims_waiting
        if not self._max_wait_s or waiting >= self._scheduler.max_batch_size:
            self._dispatch()
        elif self._gathering is None:
            self._gathering = self._loop.call_later(self._max_wait_s, self._dispatch)

    def _dispatch(self) -> None:
        """Give waiting jobs to idle workers."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        for worker in list(self._offers):
            jobs = self._scheduler.take(worker)
            if not jobs:
                return
            self._last_taken_s = self._loop.time()
            self._offers.pop(worker).set_result(jobs)
