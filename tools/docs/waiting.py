"""A simulation of segments that wait for workers, for the book. Time is in inferences."""

import heapq
import random

from streamer.inference.scheduler import ScheduledJob, Scheduler

WORKERS, SEGMENTS, SEED = 2, 40_000, 0


def busiest_waits(busy: float) -> list[float]:
    """How long each segment waits, sorted; 1.0 is the time of one inference.

    Segments come at random, each of a session of its own; every inference takes the same time.

    Args:
        busy: Part of the workers' time that the segments need.
    """
    chance = random.Random(SEED)
    scheduler: Scheduler[ScheduledJob] = Scheduler(WORKERS)
    idle, running = list(range(WORKERS)), list[tuple[float, int]]()
    arrived: dict[int, float] = {}
    waits = []
    now = 0.0
    for number in range(SEGMENTS):
        now += chance.expovariate(busy * WORKERS)
        while running and running[0][0] <= now:
            ended, worker = heapq.heappop(running)
            scheduler.finished(worker)
            waits += _begin(scheduler, worker, ended, running, idle, arrived)
        arrived[number] = now
        scheduler.add(ScheduledJob(session=number, channel=number))
        if idle:
            waits += _begin(scheduler, idle.pop(), now, running, idle, arrived)
    return sorted(waits)


def _begin(
    scheduler: Scheduler[ScheduledJob],
    worker: int,
    now: float,
    running: list[tuple[float, int]],
    idle: list[int],
    arrived: dict[int, float],
) -> list[float]:
    """Give a worker its next job, and return how long this has waited."""
    jobs = scheduler.next_batch(worker)
    if not jobs:
        idle.append(worker)
        return []
    heapq.heappush(running, (now + 1.0, worker))
    return [now - arrived.pop(int(str(job.session))) for job in jobs]
