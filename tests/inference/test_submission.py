"""The handle of a job, in each state that the job can be in: no process runs here."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import InferenceFailed, InferenceJob, JobKind, PoolClosed
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor, ShedReason

AUDIO = (np.zeros(10, np.float32),)
KINDS: tuple[JobKind, ...] = ("final", "early", "interim")

every_kind = pytest.mark.parametrize("kind", KINDS)


class Counting(Monitor):
    """Keeps the reasons why interims were given up."""

    def __init__(self) -> None:
        super().__init__()
        self.shed: list[ShedReason] = []

    def interim_shed(self, model: str, reason: ShedReason) -> None:
        self.shed.append(reason)


class Pool(WorkerPool):
    """The test is its worker."""

    def __init__(self) -> None:
        self.monitor = Counting()
        super().__init__(ModelSpec("t:M", "test"), InferenceConfig(workers=1), self.monitor)
        self._supervisors = []

    def give(self, kind: JobKind, channel: object = "c") -> Submission:
        return self.submit(AUDIO, kind, session="s", channel=channel)

    async def begin(self) -> InferenceJob:
        """A worker begins the next job."""
        (job,) = await self.queue.next_batch("worker", asyncio.Future())
        return job

    async def finish(self, outcome: ipc.ItemOutcome) -> None:
        """A worker begins the next job, and ends it."""
        job = await self.begin()
        self.queue.finished("worker")
        job.settle(outcome)

    async def close(self) -> None:
        """The server shuts down."""
        await self.run()

    def shed_is(self, *reasons: ShedReason) -> bool:
        return self.monitor.shed == [*reasons] and self.counters.interims_shed == len(reasons)


DONE = ipc.Done({"text": "so"}, 0.1)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """A pool; asyncio must have nothing to complain of in the end."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield Pool()
    gc.collect()
    assert not complaints


async def test_an_early_final_that_waits_joins_the_finals_when_it_is_confirmed(pool: Pool) -> None:
    early, final = pool.give("early"), pool.give("final")
    assert pool.waiting == (1, 1, 0)
    assert early.confirm()
    assert pool.waiting == (2, 0, 0)
    await pool.finish(DONE)
    assert (final.result.done(), early.result.done()) == (True, False)
    await pool.finish(DONE)
    assert early.result.result().output == {"text": "so"}


async def test_an_early_final_that_runs_or_is_done_is_the_final(pool: Pool) -> None:
    early = pool.give("early")
    job = await pool.begin()
    assert not early.confirm()
    assert not early.result.done()
    job.settle(DONE)
    assert not early.confirm()
    assert early.result.result().output == {"text": "so"}
    assert pool.waiting == (0, 0, 0)


async def test_an_early_final_that_waits_is_an_interim_when_speech_goes_on(pool: Pool) -> None:
    """With the turn of an older one of its channel."""
    older, other, early = pool.give("interim"), pool.give("interim", 2), pool.give("early")
    assert early.demote() == "waits"
    assert older.result.cancelled()
    assert pool.shed_is("superseded")
    assert pool.waiting == (0, 0, 2)
    assert (await pool.begin()).result is early.result
    pool.queue.finished("worker")
    assert (await pool.begin()).result is other.result
    assert not early.result.done()


async def test_an_early_final_that_runs_goes_on_when_speech_does(pool: Pool) -> None:
    early, other = pool.give("early"), pool.give("interim", 2)
    job = await pool.begin()
    assert early.demote() == "begun"
    assert job.interim
    assert not early.withdraw_waiting()
    pool.queue.finished("worker")
    job.settle(DONE)
    assert early.result.result().output == {"text": "so"}
    assert (await pool.begin()).result is other.result
    assert pool.shed_is()


async def test_an_interim_whose_worker_died_is_not_tried_again(pool: Pool) -> None:
    """Neither if it was an early final when that happened, nor if it was no more."""
    early = pool.give("early")
    await pool.begin()
    assert pool.queue.died("worker") == []
    assert early.demote() == "given up"
    assert early.result.cancelled()
    assert pool.waiting == (0, 0, 0)
    early = pool.give("early")
    job = await pool.begin()
    assert early.demote() == "begun"
    assert pool.queue.died("worker") == [job]


async def test_what_is_confirmed_can_still_be_withdrawn(pool: Pool) -> None:
    early = pool.give("early")
    assert early.confirm()
    assert early.withdraw()
    assert early.result.cancelled()
    last = pool.give("final")
    assert (await pool.begin()).result is last.result


@every_kind
async def test_what_waits_is_not_begun_once_it_is_withdrawn(pool: Pool, kind: JobKind) -> None:
    vain = pool.give(kind)
    assert vain.withdraw()
    assert vain.result.cancelled()
    assert pool.waiting == (0, 0, 0)
    later = pool.give(kind)
    assert (await pool.begin()).result is later.result
    assert pool.waiting == (0, 0, 0)


@every_kind
async def test_what_runs_is_cancelled_and_was_begun(pool: Pool, kind: JobKind) -> None:
    submission = pool.give(kind)
    job = await pool.begin()
    assert not submission.withdraw()
    assert submission.result.cancelled()
    job.settle(DONE)  # the answer of a model that does not stop half-way
    assert not submission.withdraw(), "a second time changes nothing"
    assert pool.shed_is()


@every_kind
async def test_what_is_done_keeps_its_result(pool: Pool, kind: JobKind) -> None:
    submission = pool.give(kind)
    await pool.finish(DONE)
    assert not submission.withdraw()
    assert submission.result.result().output == {"text": "so"}
    assert pool.shed_is()


@every_kind
async def test_a_failure_that_is_never_seen_is_no_complaint(pool: Pool, kind: JobKind) -> None:
    submission = pool.give(kind)
    await pool.finish(ipc.Raised("no", 0.1))
    assert not submission.withdraw()
    assert not submission.result.cancelled()


@every_kind
@pytest.mark.parametrize("late", [False, True])
async def test_a_closed_pool_has_nothing_that_waits(pool: Pool, kind: JobKind, late: bool) -> None:
    if late:
        await pool.close()
    submission = pool.give(kind)
    if not late:
        await pool.close()
    assert isinstance(submission.result.exception(), PoolClosed)
    if kind == "early":
        assert not submission.confirm()
    assert not submission.withdraw()
    assert pool.waiting == (0, 0, 0)
    assert pool.shed_is()


async def test_a_closed_pools_failure_is_no_complaint_either(pool: Pool) -> None:
    submission = pool.give("early")
    await pool.close()
    assert not submission.withdraw()


async def test_an_interim_that_is_withdrawn_counts_as_shed_once(pool: Pool) -> None:
    submission, other = pool.give("interim", 1), pool.give("interim", 2)
    assert submission.withdraw()
    assert pool.shed_is("dropped")
    assert not submission.withdraw()
    assert pool.shed_is("dropped")
    assert pool.waiting == (0, 0, 1), "that of another channel still waits"
    assert (await pool.begin()).result is other.result


async def test_to_withdraw_a_superseded_interim_leaves_the_newer_one(pool: Pool) -> None:
    old, new = pool.give("interim"), pool.give("interim")
    assert old.result.cancelled()
    assert pool.shed_is("superseded")
    assert not old.withdraw()
    assert pool.shed_is("superseded")
    assert not new.result.done()
    assert new.withdraw()
    assert pool.shed_is("superseded", "dropped")


@every_kind
async def test_what_is_newer_takes_the_place_of_what_waits(pool: Pool, kind: JobKind) -> None:
    submission = pool.give(kind)
    assert submission.withdraw_waiting()
    assert submission.result.cancelled()
    assert pool.waiting == (0, 0, 0)
    assert pool.shed_is("superseded") == (kind == "interim")
    assert not submission.withdraw_waiting()


@every_kind
async def test_and_not_of_what_runs_or_is_done(pool: Pool, kind: JobKind) -> None:
    submission = pool.give(kind)
    job = await pool.begin()
    assert not submission.withdraw_waiting()
    assert not submission.result.done()
    job.settle(DONE)
    assert not submission.withdraw_waiting()
    assert submission.result.result().output == {"text": "so"}
    assert pool.shed_is()


@every_kind
@pytest.mark.parametrize("begun", [True, False])
async def test_a_job_of_a_worker_that_died_can_be_withdrawn(
    pool: Pool, kind: JobKind, begun: bool
) -> None:
    submission = pool.give(kind)
    job = await pool.begin()
    given_up = pool.queue.died("worker", begun=begun)
    assert given_up == ([job] if kind == "interim" else [])
    for each in given_up:
        each.fail(InferenceFailed("its worker died"))
    submission.withdraw()
    assert submission.result.cancelled() or kind == "interim"
    assert pool.shed_is()
    last = pool.give("final")
    assert (await pool.begin()).result is last.result
