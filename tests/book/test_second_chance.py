"""Check of the exercise `second_chance`."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("second_chance")


class Played:
    """All jobs, with workers that some of them kill or hang."""

    def __init__(self, count: int, size: int, deadly: set[int], endless: set[int]) -> None:
        self.done: list[int] = []
        self.failed: list[int] = []
        self.begun: Counter[int] = Counter()
        self.workers = 1
        jobs = answer.Jobs(count, size)
        while batch := jobs.next_batch():
            assert len(batch) <= size
            self.begun.update(batch)
            if deadly & set(batch):
                self.workers += 1
                self.failed += jobs.died(batch)
            elif endless & set(batch):
                self.workers += 1
                self.failed += jobs.hung(batch)
            else:
                self.done += batch


def test_good_jobs_come_in_full_batches() -> None:
    jobs = answer.Jobs(5, 2)
    assert [jobs.next_batch() for _ in range(4)] == [[0, 1], [2, 3], [4], []]


def test_after_a_death_each_runs_alone_and_first() -> None:
    jobs = answer.Jobs(5, 3)
    batch = jobs.next_batch()
    assert jobs.died(batch) == []
    assert [jobs.next_batch() for _ in range(4)] == [[0], [1], [2], [3, 4]]


def test_a_job_that_dies_alone_gets_one_more_chance() -> None:
    jobs = answer.Jobs(1, 1)
    assert jobs.died(jobs.next_batch()) == []
    assert jobs.died(jobs.next_batch()) == [0]
    assert jobs.next_batch() == []


def test_a_job_that_hangs_alone_gets_none() -> None:
    jobs = answer.Jobs(2, 2)
    assert jobs.hung(jobs.next_batch()) == []
    assert jobs.hung(jobs.next_batch()) == [0]
    assert jobs.next_batch() == [1]


def test_two_batches_may_run_at_the_same_time() -> None:
    jobs = answer.Jobs(4, 2)
    first, second = jobs.next_batch(), jobs.next_batch()
    assert jobs.died(second) == []
    assert jobs.died(first) == []
    assert [jobs.next_batch() for _ in range(5)] == [[2], [3], [0], [1], []]


bad = st.sets(st.integers(0, 19), max_size=6)


@given(st.integers(0, 20), st.integers(1, 6), bad, bad)
def test_every_good_job_is_done_and_every_bad_one_fails_once(
    count: int, size: int, deadly: set[int], endless: set[int]
) -> None:
    played = Played(count, size, deadly, endless)
    bad_jobs = (deadly | endless) & set(range(count))
    assert sorted(played.failed) == sorted(bad_jobs)
    assert sorted(played.done) == sorted(set(range(count)) - bad_jobs)
    assert max(played.begun.values(), default=0) <= 3
    assert played.workers <= 1 + 3 * len(bad_jobs)
