"""Which job runs next, and what becomes of the jobs of a worker that dies.

Pure: no tasks, no clock, no processes.

- Finals go before early finals, which may turn out not to be final, and these before interims.
- Sessions take turns, in the order in which their oldest waiting job came. So the oldest job goes
  first, and a session with many channels cannot make the others wait for all of them.
- At most one interim of a channel waits: a newer one supersedes it and takes its turn. If the newer
  one joined the end of the queue, a busy pool would never serve a channel that keeps speaking.
- While there is more than one worker, one begins no interims, so that a final does not wait for an
  interim to end. An early final that runs when speech resumes may go on as an interim; it counts as
  one from then on.
- The jobs of a worker that died run once more, before all others of their kind and each alone, so
  that the job that killed the worker fails alone. A job whose worker dies twice is given up.
  Interims are not tried again: the next interim is better.
- A job that is withdrawn leaves at once. It has no turn, and it counts nowhere.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

MAX_ATTEMPTS = 2
"""Times that a worker may begin one job."""

Worker = Hashable


class WaitingJobs(NamedTuple):
    """Numbers of jobs that no worker has begun."""

    finals: int
    """Early finals are not among them until they are confirmed."""
    early: int
    interims: int


@dataclass(eq=False, slots=True)
class ScheduledJob:
    """One inference, as the scheduler sees it.

    Attributes:
        session: Takes turns with other sessions.
        channel: Has at most one interim waiting.
        interim: May be superseded, dropped and lost.
        early: A final if the silence holds. One that a worker has begun stays early when it has
            become an interim.
        times_begun: How often a worker has begun it.
    """

    session: Hashable
    channel: Hashable
    interim: bool = False
    early: bool = False
    times_begun: int = 0

    @property
    def needed(self) -> bool:
        """Whether the result is still awaited; if not, the job is not begun."""
        return True


J = TypeVar("J", bound=ScheduledJob)


@dataclass(slots=True)
class _Turns(Generic[J]):
    """Jobs of several sessions, which take turns."""

    waiting: "OrderedDict[Hashable, deque[J]]" = field(default_factory=OrderedDict)
    count: int = 0

    def add(self, job: J) -> None:
        self.waiting.setdefault(job.session, deque()).append(job)
        self.count += 1

    def __iter__(self) -> Iterator[J]:
        return chain.from_iterable(self.waiting.values())

    def next(self) -> J:
        session, jobs = self.waiting.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self.waiting[session] = jobs
        self.count -= 1
        return job

    def remove(self, job: J) -> bool:
        """Take out a job if it waits; returns whether it did."""
        jobs = self.waiting.get(job.session, deque())
        if job not in jobs:
            return False
        jobs.remove(job)
        if not jobs:
            del self.waiting[job.session]
        self.count -= 1
        return True

    def replace(self, job: J, successor: J) -> None:
        jobs = self.waiting[job.session]
        jobs[jobs.index(job)] = successor


class Scheduler(Generic[J]):
    """Jobs that wait, and jobs that run.

    Args:
        workers: Number of workers when all are alive.
        max_batch_size: Jobs that a worker may be given at once.
    """

    def __init__(self, workers: int, max_batch_size: int = 1) -> None:
        self.max_batch_size = max_batch_size
        self.set_workers(workers)
        self._retries: deque[J] = deque()
        self._finals: _Turns[J] = _Turns()
        self._early_retries: deque[J] = deque()
        self._early: _Turns[J] = _Turns()
        self._interims: _Turns[J] = _Turns()
        self._newest: dict[Hashable, J] = {}
        self._running: dict[Worker, tuple[J, ...]] = {}

    def set_workers(self, workers: int) -> None:
        """The number of workers when all are alive has changed."""
        self._max_interim_workers = max(1, workers - 1)

    @property
    def running(self) -> int:
        """Workers that run jobs now."""
        return len(self._running)

    @property
    def waiting(self) -> WaitingJobs:
        """Numbers of jobs that no worker has begun."""
        finals = self._finals.count + len(self._retries)
        early = self._early.count + len(self._early_retries)
        return WaitingJobs(finals, early, self._interims.count)

    @property
    def sessions_waiting(self) -> int:
        """Sessions with a final that no worker has begun; each has a turn before a new session."""
        return len(self._finals.waiting) + len(self._retries)

    def next_turns(self) -> Iterator[J]:
        """The final with which each of these sessions has its next turn."""
        return chain(self._retries, (jobs[0] for jobs in self._finals.waiting.values()))

    @property
    def batch_complete(self) -> bool:
        """Whether the next batch stays as it is, whatever is added: it is full, or a retry."""
        size = self.max_batch_size
        if self._retries or self._finals.count:
            return bool(self._retries) or self._finals.count >= size
        if self._early_retries or self._early.count:
            return bool(self._early_retries) or self._early.count >= size
        return self._may_run_interims and self._interims.count >= size

    @property
    def retry_waits(self) -> bool:
        """Whether a job waits that a worker has begun before: it has waited enough for others."""
        return bool(self._retries or self._early_retries)

    def runnable(self) -> Iterator[J]:
        """The waiting jobs that an idle worker may be given now, in no order."""
        interims = self._interims if self._may_run_interims else ()
        return chain(self._retries, self._finals, self._early_retries, self._early, interims)

    def add(self, job: J) -> J | None:
        """Queue a job; returns the interim that it supersedes, if any."""
        if not job.interim:
            (self._early if job.early else self._finals).add(job)
            return None
        superseded = self._newest.get(job.channel)
        if superseded is None:
            self._interims.add(job)
        else:
            self._interims.replace(superseded, job)
        self._newest[job.channel] = job
        return superseded

    def confirm(self, job: J) -> bool:
        """An early job is a final now; returns whether it waited, and so joins the finals."""
        job.early = False
        if job in self._early_retries:
            self._early_retries.remove(job)
            self._retries.append(job)
            return True
        waited = self._early.remove(job)
        if waited:
            self._finals.add(job)
        return waited

    def demote(self, job: J) -> None:
        """An early job that a worker has begun is an interim now: it is not tried again."""
        job.interim = True

    def withdraw(self, job: J) -> bool:
        """A job is not needed any more; returns whether it waited."""
        for retries in (self._retries, self._early_retries):
            if job in retries:
                retries.remove(job)
                return True
        if not job.interim:
            return (self._early if job.early else self._finals).remove(job)
        waited = self._interims.remove(job)
        if waited:
            del self._newest[job.channel]
        return waited

    def next_batch(self, worker: Worker) -> tuple[J, ...]:
        """The jobs that an idle worker runs now, together; none when none may run."""
        assert worker not in self._running
        jobs = self._choose()
        for job in jobs:
            job.times_begun += 1
        if jobs:
            self._running[worker] = jobs
        return jobs

    def finished(self, worker: Worker) -> None:
        """The worker has answered all its jobs."""
        del self._running[worker]

    def died(self, worker: Worker, *, begun: bool = True) -> list[J]:
        """The worker is gone; returns the jobs that are given up, the others run again.

        Args:
            worker: Which one.
            begun: Whether it had begun its jobs; if not, they cannot have killed it.
        """
        jobs = self._running.pop(worker, ())
        if not begun:
            for job in jobs:
                job.times_begun -= 1
        again = [job for job in jobs if self._runs_again(job)]
        for job in again:
            (self._early_retries if job.early else self._retries).append(job)
        return [job for job in jobs if job not in again]

    def drain(self) -> Iterator[J]:
        """Take out every waiting job."""
        for retries in (self._retries, self._early_retries):
            while retries:
                yield retries.popleft()
        for turns in (self._finals, self._early, self._interims):
            while turns.count:
                yield turns.next()
        self._newest.clear()

    @property
    def _may_run_interims(self) -> bool:
        busy = sum(all(job.interim for job in jobs) for jobs in self._running.values())
        return busy < self._max_interim_workers

    def _runs_again(self, job: J) -> bool:
        return not job.interim and job.needed and job.times_begun < MAX_ATTEMPTS

    def _choose(self) -> tuple[J, ...]:
        return (
            self._retry(self._retries)
            or self._batch(self._finals)
            or self._retry(self._early_retries)
            or self._batch(self._early)
            or self._choose_interims()
        )

    def _choose_interims(self) -> tuple[J, ...]:
        return self._batch(self._interims) if self._may_run_interims else ()

    def _retry(self, retries: deque[J]) -> tuple[J, ...]:
        while retries:
            job = retries.popleft()
            if job.needed:
                return (job,)
        return ()

    def _batch(self, turns: _Turns[J]) -> tuple[J, ...]:
        jobs: list[J] = []
        while turns.count and len(jobs) < self.max_batch_size:
            job = turns.next()
            if job.interim:
                del self._newest[job.channel]
            if job.needed:
                jobs.append(job)
        return tuple(jobs)
