"""Worker processes that share cores, and the queue before them, in simulated time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import simpy

from streamer.inference.queue import FIRST_FACTOR, LEAD_FACTOR, LEAD_S, SMOOTHING
from streamer.inference.scheduler import ScheduledJob, Scheduler

LEAST_CORES = 0.1
"""That are left to the workers, however much everything else would use."""

Process = Any
"""A generator that SimPy runs: it yields events, and gets their values."""


@dataclass(eq=False, slots=True)
class SimulatedJob(ScheduledJob):
    """One inference.

    Attributes:
        media_s: Seconds of audio.
        work_s: Seconds of one core.
        settled: Triggered with True when the result is there, with False when its workers are gone.
        unwanted: Triggered when the result is not needed any more; a transcriber then stops before
            its next step.
    """

    media_s: float = 0.0
    work_s: float = 0.0
    settled: simpy.Event = field(default=None)  # type: ignore[assignment]
    unwanted: simpy.Event = field(default=None)  # type: ignore[assignment]


@dataclass
class Workers:
    """The workers of one server.

    Attributes:
        environment: Has the clock.
        count: Of the workers.
        cores: That they share with everything else that runs there; None = each has its own.
        crowded: Speed of a core when all cores compute, as a part of its speed when the others are
            idle: they share caches, and two of them may be threads of one.
        others: Of the number of streams: cores that everything else uses, on average.
        hop_s: From the queue to a worker and back, for which it does nothing: the network.
        busy_s: Time that workers have spent on jobs so far, on the way to them too.
        cpu_s: The part of it in which they had a core.
        in_vain_s: The part of `busy_s` that was for results which were not needed.
        in_vain: The number of these jobs.
        streams: That the server has.
        alive: Whether the server runs.
    """

    environment: simpy.Environment
    count: int
    cores: float | None = None
    crowded: float = 1.0
    others: Callable[[int], float] = lambda streams: 0.0
    hop_s: float = 0.0
    busy_s: float = 0.0
    cpu_s: float = 0.0
    in_vain_s: float = 0.0
    in_vain: int = 0
    streams: int = 0
    alive: bool = True

    def __post_init__(self) -> None:
        self._scheduler: Scheduler[SimulatedJob] = Scheduler(self.count)
        self._idle: list[simpy.Event] = []
        self._running: dict[int, SimulatedJob] = {}
        self._missing: set[int] = set()
        self._mean_factor = FIRST_FACTOR
        for number in range(self.count):
            self.environment.process(self._work(number))

    def lead_seconds(self, media_s: float) -> float:
        """As the server computes how long before the end of a segment its early final begins."""
        return LEAD_FACTOR * self._mean_factor * media_s + LEAD_S

    def submit(
        self, session: object, media_s: float, work_s: float, *, early: bool = False
    ) -> SimulatedJob:
        """Queue a job."""
        new = self.environment.event
        job = SimulatedJob(
            session, session, early=early, media_s=media_s, work_s=work_s,
            settled=new(), unwanted=new(),
        )  # fmt: skip
        if self.alive:
            self._scheduler.add(job)
            self._wake()
        else:
            job.settled.succeed(False)
        return job

    def confirm(self, job: SimulatedJob) -> None:
        """An early job is a final now."""
        self._scheduler.confirm(job)
        self._wake()

    def withdraw(self, job: SimulatedJob) -> None:
        """A job is not needed any more."""
        if not self._scheduler.withdraw(job) and not job.unwanted.triggered:
            job.unwanted.succeed()

    def lose(self, workers: int) -> None:
        """So many workers are gone; their jobs run again on those that are left."""
        for number in range(workers):
            self._missing.add(number)
            job = self._running.get(number)
            if job is not None and not job.unwanted.triggered:
                stopped, job.unwanted = job.unwanted, self.environment.event()
                stopped.succeed()
                self._scheduler.died(number, begun=False)
        self._wake()

    def regain(self) -> None:
        """The lost workers are there again."""
        self._missing.clear()
        self._wake()

    def end(self) -> None:
        """The server is gone, with all that waits and runs."""
        self.alive = False
        lost = [*self._scheduler.drain(), *self._running.values()]
        for job in lost:
            if not job.settled.triggered:
                job.settled.succeed(False)

    def _wake(self) -> None:
        waiting, self._idle = self._idle, []
        for event in waiting:
            event.succeed()

    def _speed_and_share(self) -> tuple[float, float]:
        """Of a worker, while those that are busy now are busy.

        Returns:
            How fast its core is, as a part of a core whose neighbours are idle, and which part of
            the core's time the worker gets.
        """
        if self.cores is None:
            return self.crowded, 1.0
        others, busy = self.others(self.streams), len(self._running)
        left = max(LEAST_CORES, self.cores - others)
        beside = min(1.0, (busy - 1 + others) / max(1.0, self.cores - 1))
        return 1 - (1 - self.crowded) * beside, min(1.0, left / busy)

    def _work(self, number: int) -> Process:
        environment = self.environment
        while True:
            jobs = () if number in self._missing else self._scheduler.next_batch(number)
            if not jobs:
                idle = environment.event()
                self._idle.append(idle)
                yield idle
                continue
            (job,) = jobs
            self._running[number] = job
            began_s, (speed, share) = environment.now, self._speed_and_share()
            took_s, unwanted = job.work_s / speed / share + self.hop_s, job.unwanted
            yield environment.timeout(took_s) | unwanted
            del self._running[number]
            if number not in self._missing:
                self._scheduler.finished(number)
            spent_s = environment.now - began_s
            self.busy_s += spent_s
            self.cpu_s += min(took_s - self.hop_s, spent_s) * share
            if unwanted.triggered:
                self.in_vain_s += spent_s
                self.in_vain += 1
                continue
            self._note(took_s, job.media_s)
            if not job.settled.triggered:
                job.settled.succeed(True)

    def _note(self, took_s: float, media_s: float) -> None:
        weight = SMOOTHING * min(media_s, 1.0)
        self._mean_factor += (took_s / media_s - self._mean_factor) * weight
