"""Which jobs are next: finals before interims, sessions in turn, one interim a channel."""

from dataclasses import dataclass

import pytest

from streamer.inference.scheduler import ScheduledJob, Scheduler, WaitingJobs


def final(name: str) -> ScheduledJob:
    return ScheduledJob(name, name)


def interim(name: str) -> ScheduledJob:
    return ScheduledJob(name, name, interim=True)


def early_job(name: str) -> ScheduledJob:
    return ScheduledJob(name, name, early=True)


@dataclass(eq=False, slots=True)
class Dropped(ScheduledJob):
    """A job that can be given up while it runs."""

    dropped: bool = False

    @property
    def needed(self) -> bool:
        return not self.dropped


def drain(scheduler: Scheduler[ScheduledJob]) -> list[ScheduledJob]:
    done: list[ScheduledJob] = []
    while jobs := scheduler.next_batch("drain"):
        done += jobs
        scheduler.finished("drain")
    return done


def test_finals_go_first_and_each_oldest_first() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    a, one, b, two = interim("a"), final("1"), interim("b"), final("2")
    for job in (a, one, b, two):
        scheduler.add(job)
    assert scheduler.waiting == WaitingJobs(finals=2, early=0, interims=2)
    assert drain(scheduler) == [one, two, a, b]
    assert scheduler.waiting == (0, 0, 0)


def test_a_newer_interim_of_the_same_channel_replaces_the_waiting_one() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    old, other, new = interim("a"), interim("b"), interim("a")
    assert scheduler.add(old) is None
    assert scheduler.add(other) is None
    assert scheduler.add(new) is old
    assert drain(scheduler) == [new, other], "it has the turn that the old one waited for"


def test_speaking_on_costs_nobody_a_turn() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    served: list[ScheduledJob] = []
    for _ in range(3):
        for name in "abcdef":
            scheduler.add(interim(name))
        served += scheduler.next_batch("A")
        scheduler.finished("A")
    assert [job.session for job in served] == ["a", "b", "c"]


def test_an_interim_that_runs_is_not_superseded() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    running = interim("a")
    scheduler.add(running)
    assert scheduler.next_batch("A") == (running,)
    assert scheduler.add(interim("a")) is None


def test_what_is_withdrawn_leaves_at_once_and_takes_nobody_along() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    a, b, last, vain = interim("a"), interim("b"), final("a"), final("a")
    for job in (a, b, last, vain):
        scheduler.add(job)
    for job in (a, vain):
        assert scheduler.withdraw(job)
        assert not scheduler.withdraw(job)
    assert scheduler.waiting == WaitingJobs(finals=1, early=0, interims=1)
    assert drain(scheduler) == [last, b]


def test_the_early_job_of_a_dead_worker_does_not_overtake_what_is_sure() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    early, other_early, growing = early_job("a"), early_job("c"), interim("d")
    scheduler.add(early)
    assert scheduler.next_batch("A") == (early,)
    assert scheduler.died("A") == []
    sure = final("b")
    for job in (growing, other_early, sure):
        scheduler.add(job)
    assert scheduler.waiting == WaitingJobs(finals=1, early=2, interims=1)
    assert drain(scheduler) == [sure, early, other_early, growing]


def test_once_it_is_sure_it_goes_first_again() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    early, sure = early_job("a"), final("b")
    scheduler.add(early)
    scheduler.next_batch("A")
    scheduler.died("A")
    scheduler.add(sure)
    assert scheduler.confirm(early)
    assert scheduler.waiting == WaitingJobs(finals=2, early=0, interims=0)
    assert drain(scheduler) == [early, sure]


@pytest.mark.parametrize("kind", ["final", "early"])
def test_what_is_not_needed_any_more_is_not_tried_again(kind: str) -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    again, vain = (Dropped("a", name, early=kind == "early") for name in ("again", "vain"))
    for job in (again, vain):
        scheduler.add(job)
    for worker in "AB":
        scheduler.next_batch(worker)
    vain.dropped = True
    assert scheduler.died("A") == []
    assert scheduler.died("B") == [vain]
    assert sum(scheduler.waiting) == 1
    assert scheduler.withdraw(again)
    assert scheduler.waiting == (0, 0, 0)


def test_one_worker_is_kept_free_of_interims() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(2)
    for name in "abc":
        scheduler.add(interim(name))
    assert len(scheduler.next_batch("A")) == 1
    assert scheduler.next_batch("B") == ()
    last = final("d")
    scheduler.add(last)
    assert scheduler.next_batch("B") == (last,)
    scheduler.finished("A")
    assert len(scheduler.next_batch("A")) == 1


def test_draining_takes_out_everything() -> None:
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    retried, waiting, growing = final("a"), final("b"), interim("c")
    scheduler.add(retried)
    scheduler.next_batch("A")
    scheduler.died("A")
    scheduler.add(waiting)
    scheduler.add(growing)
    assert list(scheduler.drain()) == [retried, waiting, growing]
    assert scheduler.next_batch("A") == ()
    assert scheduler.add(interim("c")) is None
