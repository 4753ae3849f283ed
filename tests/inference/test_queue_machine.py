"""The queue under any sequence of events, in virtual time: no job waits longer than it has to."""

import asyncio
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from streamer.inference.job import InferenceJob, JobKind
from streamer.inference.submission import Submission
from tests.inference.test_queue_races import DONE, WINDOW_S, Pool
from tools.harness.virtual_time import VirtualTimeLoop

WORKERS = ("A", "B")
BATCH = 2
MOMENT_S = 1e-9

workers = st.sampled_from(WORKERS)


@dataclass(eq=False)
class Given:
    """A job, as its client sees it."""

    submission: Submission
    kind: JobKind
    since_s: float
    """Since when it waits for others to join its batch."""
    waits: bool = True
    """Whether no worker has it, and somebody needs it."""
    retried: bool = False


@dataclass
class Worker:
    """A worker that asks for jobs, or runs them."""

    asks: asyncio.Task[tuple[InferenceJob, ...]]
    lost: asyncio.Future[None]
    begun_s: float = 0.0
    jobs: tuple[Given, ...] = ()


class Machine(RuleBasedStateMachine):
    """Clients give jobs, workers ask for them, and time passes."""

    jobs: Bundle[Given] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.workers: dict[str, Worker] = {}
        self.stalled_since_s: float | None = None
        """Since when finals wait and no batch has begun."""
        self.given: dict[asyncio.Future[object], Given] = {}
        self.pool = self.loop.run_until_complete(self.open())

    async def open(self) -> Pool:
        return Pool(len(WORKERS), batch=BATCH, window_s=WINDOW_S)

    @rule(
        target=jobs,
        kind=st.sampled_from(["final", "early", "interim"]),
        who=st.sampled_from("abc"),
    )
    def give(self, kind: JobKind, who: str) -> Given:
        now_s = self.loop.time()
        submission = self.pool.give(kind, who)
        given = Given(submission, kind, now_s)
        for other in self.waiting():
            if other.submission.result.cancelled():  # superseded: the new one has its turn
                other.waits = False
                given.since_s = other.since_s
        self.given[submission.result] = given  # type: ignore[index]
        self.settle()
        return given

    @rule(given=jobs)
    def confirm(self, given: Given) -> None:
        if given.kind == "early" and not given.submission.result.cancelled():
            assert given.submission.confirm() == given.waits
            given.kind = "final"
            self.settle()

    @rule(given=jobs)
    def demote(self, given: Given) -> None:
        """Speech goes on, and the result is wanted all the same."""
        if given.kind != "early" or given.submission.result.done():
            return
        expected = "begun" if not given.waits else "given up" if given.retried else "waits"
        assert given.submission.demote() == expected
        given.kind = "interim"
        given.waits = expected == "waits"
        for other in self.waiting():
            if other.submission.result.cancelled():  # superseded, in the same way
                other.waits = False
                given.since_s = other.since_s
        self.settle()

    @rule(given=jobs)
    def withdraw(self, given: Given) -> None:
        assert given.submission.withdraw() == given.waits
        given.waits = False
        self.settle()

    @precondition(lambda self: len(self.workers) < len(WORKERS))
    @rule(name=workers)
    def ask(self, name: str) -> None:
        if name not in self.workers:
            lost: asyncio.Future[None] = self.loop.create_future()
            self.workers[name] = Worker(self.loop.create_task(self.begin(name, lost)), lost)
            self.settle()

    async def begin(self, name: str, lost: asyncio.Future[None]) -> tuple[InferenceJob, ...]:
        jobs = await self.pool.queue.next_batch(name, lost)
        worker = self.workers[name]
        worker.jobs = tuple(self.given[job.result] for job in jobs)  # type: ignore[index]
        worker.begun_s = self.loop.time()
        self.check_batch(worker)
        for given in worker.jobs:
            given.waits = False
        if jobs:
            self.stalled_since_s = worker.begun_s if self.finals_wait else None
        return jobs

    def check_batch(self, worker: Worker) -> None:
        """It is of one kind, and full, or a retry waits, or one that waits has waited enough."""
        jobs = worker.jobs
        assert len({given.kind for given in jobs}) <= 1
        assert all(given.waits for given in jobs)
        if jobs and len(jobs) < BATCH and not any(given.retried for given in self.waiting()):
            first_s = min(given.since_s for given in self.waiting())
            assert worker.begun_s >= first_s + WINDOW_S - MOMENT_S

    @precondition(lambda self: any(worker.jobs for worker in self.workers.values()))
    @rule(name=workers)
    def finish(self, name: str) -> None:
        """A worker has answered; it may be replaced, and ask for no more."""
        if (worker := self.workers.get(name)) and worker.jobs:
            del self.workers[name]
            jobs = worker.asks.result()
            self.pool.queue.finished(name)
            for job in jobs:
                job.settle(DONE)
            self.settle()

    @precondition(lambda self: any(worker.jobs for worker in self.workers.values()))
    @rule(name=workers)
    def die(self, name: str) -> None:
        if (worker := self.workers.get(name)) and worker.jobs:
            del self.workers[name]
            for given in worker.jobs:
                given.waits = given.submission.result in self.again(worker)
                given.retried = True
            for job in self.pool.queue.died(name):
                job.result.cancel()
            self.settle()

    def again(self, worker: Worker) -> list[object]:
        return [
            given.submission.result
            for given in worker.jobs
            if given.kind != "interim"
            and not given.retried
            and not given.submission.result.cancelled()
        ]

    @precondition(lambda self: any(not worker.jobs for worker in self.workers.values()))
    @rule(name=workers)
    def lose(self, name: str) -> None:
        """An idle worker dies."""
        if (worker := self.workers.get(name)) and not worker.jobs:
            worker.lost.set_result(None)
            self.settle()
            assert worker.asks.result() == ()
            del self.workers[name]

    @rule(part=st.sampled_from([0.5, 1.0, 100.0]))
    def pass_time(self, part: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(part * WINDOW_S))
        self.settle()

    def settle(self) -> None:
        self.loop.run_until_complete(self.loop.quiet())
        for worker in self.workers.values():
            if worker.asks.done():
                worker.asks.result()  # raises what `begin` raised
        if not self.finals_wait:
            self.stalled_since_s = None
        elif self.stalled_since_s is None:
            self.stalled_since_s = self.loop.time()

    def waiting(self) -> list[Given]:
        return [given for given in self.given.values() if given.waits]

    @property
    def finals_wait(self) -> bool:
        return any(given.kind == "final" for given in self.waiting())

    @invariant()
    def no_worker_is_idle_in_vain(self) -> None:
        if not any(not worker.asks.done() for worker in self.workers.values()):
            return
        interims = sum(
            all(given.kind == "interim" for given in w.jobs)
            for w in self.workers.values()
            if w.jobs
        )
        runnable = [g for g in self.waiting() if g.kind != "interim" or not interims]
        assert not any(given.retried for given in runnable), "a retry waits for nobody"
        assert all(g.since_s + WINDOW_S > self.loop.time() + MOMENT_S for g in runnable)
        finals = sum(given.kind == "final" for given in runnable)
        assert finals < BATCH

    @invariant()
    def the_wait_is_the_time_for_which_nothing_began(self) -> None:
        since_s = self.stalled_since_s
        expected_s = 0.0 if since_s is None else self.loop.time() - since_s
        assert abs(self.pool.wait_s - expected_s) < MOMENT_S

    def teardown(self) -> None:
        """Whatever happened, two workers are enough to do all that is still needed."""
        while self.waiting() or any(worker.jobs for worker in self.workers.values()):
            for name in WORKERS:
                self.finish(name)
                self.ask(name)
            self.pass_time(1.0)
        assert self.pool.waiting == (0, 0, 0)
        assert self.pool.wait_s == 0
        for worker in self.workers.values():
            worker.asks.cancel()
        self.loop.run_until_complete(self.loop.quiet())
        self.loop.close()


Machine.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
test_no_job_waits_longer_than_it_has_to = Machine.TestCase
