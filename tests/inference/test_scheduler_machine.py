"""The scheduler under any sequence of events: no final is lost, doubled or out of order."""

from collections import Counter
from collections.abc import Hashable
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
    """Clients add, confirm and withdraw jobs; workers take, finish and die."""

    jobs: Bundle[Tracked] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.scheduler: Scheduler[Tracked] = Scheduler(len(WORKERS), BATCH)
        self.running: dict[str, tuple[Tracked, ...]] = {}
        self.all: list[Tracked] = []
        self.waiting: list[Tracked] = []
        self.again: list[Tracked] = []
        """Jobs whose worker died, in the order in which they are tried again; early ones too."""
        self.served: dict[Hashable, Counter[Hashable]] = {}
        """For each session with finals that wait: whose finals have begun since its turn began."""

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
            superseded.cancelled = True
            self.waiting[self.waiting.index(superseded)] = job
        else:
            self.waiting.append(job)
        return job

    @rule(job=jobs)
    def confirm(self, job: Tracked) -> None:
        """The silence has held. What has not been begun is the newest final."""
        if not job.early or job.interim:
            return
        places = self.waiting if job in self.waiting else self.again
        waits = job in places
        assert self.scheduler.confirm(job) == waits
        if waits:
            places.remove(job)
            places.append(job)

    @rule(job=jobs)
    def demote(self, job: Tracked) -> None:
        """Speech goes on, and the result is wanted all the same: it is an interim."""
        if job.early and any(job in jobs for jobs in self.running.values()):
            self.scheduler.demote(job)
            assert job.interim

    @rule(job=jobs)
    def withdraw(self, job: Tracked) -> None:
        """The silence has not held, or the session ends."""
        waits = job in self.waiting or job in self.again
        assert self.scheduler.withdraw(job) == waits
        job.cancelled = True
        self.waiting = [each for each in self.waiting if each is not job]
        self.again = [each for each in self.again if each is not job]

    @rule(worker=st.sampled_from(WORKERS))
    def take(self, worker: str) -> None:
        if worker in self.running:
            return
        complete = self.scheduler.batch_complete
        runnable = list(self.scheduler.runnable())
        taken = self.scheduler.next_batch(worker)
        busy = sum(all(job.interim for job in jobs) for jobs in self.running.values())
        interims = [job for job in self.waiting if job.interim]
        if busy >= len(WORKERS) - 1:  # one worker begins no interims
            interims = []
        groups = (
            ([job for job in self.again if not job.early], 1),
            (self.waiting_finals, BATCH),
            ([job for job in self.again if job.early], 1),
            ([job for job in self.waiting if job.early], BATCH),
            (interims, BATCH),
        )
        first, size = next(((group, size) for group, size in groups if group), ([], 0))
        assert {*runnable} == {job for group, _ in groups for job in group}
        assert complete == (size > 0 and len(first) >= size)
        assert len(taken) == min(size, len(first)), "as many as there are, and of one kind"
        assert {*taken} <= {*first}, "none before those of a more urgent kind"
        for session in SESSIONS:
            of_session = [job for job in taken if job.session == session]
            older = [job for job in first if job.session == session]
            assert of_session == older[: len(of_session)], "they keep their order"
        if size == 1:
            assert taken == (first[0],), "those whose worker died have an order of their own"
        for job in taken:
            if job in self.waiting and not job.interim and not job.early:
                self.serve(job)
            self.waiting = [each for each in self.waiting if each is not job]
            self.again = [each for each in self.again if each is not job]
        if taken:
            self.running[worker] = taken

    @property
    def waiting_finals(self) -> list[Tracked]:
        return [job for job in self.waiting if not job.interim and not job.early]

    def serve(self, job: Tracked) -> None:
        """A final begins: no session has two turns while another waits for one."""
        for session, others in self.served.items():
            if session != job.session:
                others[job.session] += 1
                assert others[job.session] == 1, f"{session} waits"
        del self.served[job.session]
        if any(job.session == other.session for other in self.waiting_finals if other is not job):
            self.served[job.session] = Counter()

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
            fatal = job.interim or job.cancelled or len(job.deaths) >= MAX_ATTEMPTS
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

    @invariant()
    def what_waits_is_counted_and_nothing_else(self) -> None:
        waiting = [*self.waiting, *self.again]
        assert not any(job.cancelled for job in waiting)
        interims, early = (
            sum(job.interim for job in waiting),
            sum(job.early for job in waiting),
        )
        assert self.scheduler.waiting == (len(waiting) - interims - early, early, interims)

    @invariant()
    def turns_begin_and_end(self) -> None:
        sessions = {job.session for job in self.waiting_finals}
        self.served = {session: self.served.get(session, Counter()) for session in sessions}
        retries = sum(not job.early for job in self.again)
        assert self.scheduler.sessions_waiting == len(sessions) + retries

    def teardown(self) -> None:
        """Whatever happened, finals that are needed are done in the end."""
        for worker in list(self.running):
            self.finish(worker)
        for _ in range(len(self.all) + 1):
            self.turns_begin_and_end()
            self.take("A")
            self.finish("A")
        for job in self.all:
            if not job.cancelled:
                assert job.done + job.given_up == 1
        assert self.scheduler.waiting == (0, 0, 0)


Machine.TestCase.settings = settings(max_examples=200, stateful_step_count=60)
test_no_job_is_lost_doubled_or_out_of_order = Machine.TestCase


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
