"""The scheduler under any sequence of events: no final is lost, doubled or out of order."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from streamer.inference.scheduler import MAX_ATTEMPTS, ScheduledJob, Scheduler

SESSIONS = ("busy", "calm", "other")
WORKERS = ("A", "B", "C")
BATCH = 3


@dataclass(eq=False, slots=True)
class Tracked(ScheduledJob):
    """A job that keeps what became of it."""

    given_up: bool = False
    cancelled: bool = False
    done: int = 0
    deaths: list[str] = field(default_factory=list)

    @property
    def needed(self) -> bool:
        return not self.cancelled


class Machine(RuleBasedStateMachine):
    """Clients add and cancel jobs; workers take, finish and die."""

    jobs: Bundle[Tracked] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.scheduler: Scheduler[Tracked] = Scheduler(len(WORKERS), BATCH)
        self.running: dict[str, tuple[Tracked, ...]] = {}
        self.all: list[Tracked] = []
        self.waiting: list[Tracked] = []
        self.again: list[Tracked] = []

    @rule(
        target=jobs,
        session=st.sampled_from(SESSIONS),
        channel=st.integers(0, 7),
        kind=st.sampled_from(["final", "early", "interim"]),
    )
    def add(self, session: str, channel: int, kind: str) -> Tracked:
        interim, early = kind == "interim", kind == "early"
        job = Tracked(session, (session, channel), interim, early)
        expected: list[Tracked | None] = [
            other
            for other in self.waiting
            if interim and other.interim and other.channel == job.channel
        ]
        superseded = self.scheduler.add(job)
        assert [superseded] == (expected or [None])
        self.all.append(job)
        if superseded:
            self.waiting[self.waiting.index(superseded)] = job
        else:
            self.waiting.append(job)
        return job

    @rule(job=jobs)
    def confirm(self, job: Tracked) -> None:
        """The silence has held. What has not been begun is the newest final."""
        waits = job.early and job in self.waiting
        if job.early:
            assert self.scheduler.confirm(job) == waits
        if waits:
            self.waiting.remove(job)
            self.waiting.append(job)

    @rule(job=jobs)
    def withdraw(self, job: Tracked) -> None:
        """The silence has not held."""
        if job.early:
            waits = job in self.waiting
            assert self.scheduler.withdraw(job) == waits
            job.cancelled = True
            if waits:
                self.waiting.remove(job)

    @rule(job=jobs)
    def cancel(self, job: Tracked) -> None:
        """A session ends. Its waiting interims are dropped, and what is early is withdrawn."""
        if job not in self.waiting or not (job.interim or job.early):
            job.cancelled = True

    @rule(session=st.sampled_from(SESSIONS), channel=st.integers(0, 7))
    def drop(self, session: str, channel: int) -> None:
        dropped = self.scheduler.drop_interim((session, channel))
        interims = [j for j in self.waiting if j.interim and j.channel == (session, channel)]
        assert interims == ([dropped] if dropped else [])
        self.waiting = [job for job in self.waiting if job is not dropped]

    @rule(worker=st.sampled_from(WORKERS))
    def take(self, worker: str) -> None:
        if worker in self.running:
            return
        taken = self.scheduler.next_batch(worker)
        retries = [job for job in self.again if job.needed]
        sure = [j for j in self.waiting if not j.interim and not j.early and j.needed]
        finals = sure or [job for job in self.waiting if job.early and job.needed]
        interims = [job for job in self.waiting if job.interim and job.needed]
        busy = sum(jobs[0].interim for jobs in self.running.values())
        assert all(job.needed for job in taken)
        if retries:
            assert taken == (retries[0],), "a retry runs before all others, and alone"
        elif finals:
            assert not any(job.interim for job in taken), "finals go before interims"
            assert not sure or not any(job.early for job in taken), "and before early ones"
            assert len(taken) == min(BATCH, len(finals))
        elif busy < len(WORKERS) - 1:
            assert len(taken) == min(BATCH, len(interims))
        else:
            assert not taken, "one worker is kept free of interims"
        for session in SESSIONS:
            of_session = [job for job in taken if job.session == session]
            older = [job for job in (finals or interims) if job.session == session]
            assert retries or of_session == older[: len(of_session)], "they keep their order"
        self.waiting = [job for job in self.waiting if job not in taken]
        self.again = [job for job in self.again if job not in taken]
        if taken:
            self.running[worker] = taken

    @rule(worker=st.sampled_from(WORKERS))
    def finish(self, worker: str) -> None:
        if worker in self.running:
            self.scheduler.finished(worker)
            for job in self.running.pop(worker):
                job.done += 1

    @rule(worker=st.sampled_from(WORKERS), begun=st.booleans())
    def die(self, worker: str, begun: bool) -> None:
        jobs = self.running.pop(worker, ())
        given_up = self.scheduler.died(worker, begun=begun)
        for job in jobs:
            if begun:
                job.deaths.append(worker)
            fatal = job.interim or len(job.deaths) >= MAX_ATTEMPTS
            assert (job in given_up) == fatal
            if fatal:
                job.given_up = True
            else:
                self.again.append(job)

    @invariant()
    def every_job_is_somewhere_once(self) -> None:
        places = [*self.waiting, *self.again, *(j for js in self.running.values() for j in js)]
        assert len(set(map(id, places))) == len(places)
        assert all(job.done <= 1 for job in self.all)
        assert not any(job.done and job.given_up for job in self.all)

    def teardown(self) -> None:
        """Whatever happened, finals that are needed are done in the end."""
        for worker in list(self.running):
            self.finish(worker)
        for _ in range(len(self.all) + 1):
            self.take("A")
            self.finish("A")
        for job in self.all:
            if not job.interim and job.needed:
                assert job.done + job.given_up == 1
        assert self.scheduler.waiting == (0, 0, 0)


Machine.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
test_no_final_is_lost_doubled_or_out_of_order = Machine.TestCase


def test_a_session_with_many_channels_gets_one_turn_like_the_others() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(2)
    eight = [ScheduledJob("busy", ("busy", channel)) for channel in range(8)]
    one, other = ScheduledJob("calm", ("calm", 0)), ScheduledJob("other", ("other", 0))
    for job in (*eight, one, other):
        scheduler.add(job)
    order: list[ScheduledJob] = []
    while jobs := scheduler.next_batch("A"):
        order += jobs
        scheduler.finished("A")
    assert order == [eight[0], one, other, *eight[1:]]


def test_what_killed_a_worker_in_a_batch_takes_nobody_with_it() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(2, max_batch_size=3)
    innocent, poison, late = (ScheduledJob(n, n) for n in ("innocent", "poison", "late"))
    for job in (innocent, poison, late):
        scheduler.add(job)
    assert scheduler.next_batch("A") == (innocent, poison, late)
    assert scheduler.died("A") == []
    for job in (innocent, poison, late):
        assert scheduler.next_batch("B") == (job,)
        if job is poison:
            assert scheduler.died("B") == [poison]
        else:
            scheduler.finished("B")


def test_a_job_that_had_not_begun_is_not_blamed() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    job = ScheduledJob("s", "c")
    scheduler.add(job)
    for _ in range(5):
        assert scheduler.next_batch("A") == (job,)
        assert scheduler.died("A", begun=False) == []
    assert scheduler.next_batch("A") == (job,)
    scheduler.finished("A")
