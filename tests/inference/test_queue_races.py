"""Waiting jobs and idle workers, in virtual time: who waits for what, and for how long."""

import asyncio

import numpy as np
import pytest

from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import InferenceJob, JobKind
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor
from tests.virtual_time import in_virtual_time
from tools.harness.virtual_time import VirtualTimeLoop

AUDIO = (np.zeros(16_000, np.float32),)
DONE = ipc.Done({}, 0.5)
WINDOW_S = 0.2


class Pool(WorkerPool):
    """The test is its workers."""

    def __init__(self, workers: int = 1, *, batch: int = 1, window_s: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        self.loop = loop
        config = InferenceConfig(workers=workers)
        super().__init__(ModelSpec("t:M", "test"), config, Monitor(loop.time))
        self._supervisors = []
        self._warm.set_result(ipc.Ready(16_000, batch, 1000 * window_s, stateful=False))
        self.queue.allow_batches(batch, window_s)
        self._asking = dict[str, asyncio.Task[tuple[InferenceJob, ...]]]()

    def give(self, kind: JobKind = "final", who: object = "a") -> Submission:
        return self.submit(AUDIO, kind, session=who, channel=who)

    async def ask(self, worker: str = "A") -> None:
        """A worker is idle."""
        asking = self.queue.next_batch(worker, self.loop.create_future())
        self._asking[worker] = self.loop.create_task(asking)
        await self.loop.quiet()

    async def begun(self, worker: str = "A") -> list[object]:
        """Whose jobs a worker has begun by now; once for each batch."""
        await self.loop.quiet()
        if worker not in self._asking or not self._asking[worker].done():
            return []
        return [job.session for job in self._asking.pop(worker).result()]

    @property
    def wait_s(self) -> float:
        return self.queue.expected_wait_s


async def hour(pool: Pool) -> None:
    """Nothing happens for an hour."""
    await asyncio.sleep(3600)
    assert pool.wait_s == 0


@in_virtual_time
async def test_a_quiet_server_is_not_busy_while_its_first_job_waits_for_others() -> None:
    pool = Pool(batch=4, window_s=WINDOW_S)
    await pool.ask()
    await hour(pool)
    pool.give()
    assert pool.wait_s == 0
    await asyncio.sleep(WINDOW_S / 2)
    assert pool.wait_s == pytest.approx(WINDOW_S / 2)
    await asyncio.sleep(WINDOW_S)
    assert await pool.begun() == ["a"]
    assert pool.wait_s == 0


@in_virtual_time
async def test_nor_while_its_worker_is_replaced() -> None:
    pool = Pool()
    await hour(pool)
    for who in "abc":
        pool.give(who=who)
    assert pool.wait_s == 0
    await asyncio.sleep(3)
    assert pool.wait_s == 3, "nothing has happened for so long, although three wait"
    await pool.ask()
    assert await pool.begun() == ["a"]
    assert pool.wait_s == 0


@in_virtual_time
async def test_the_time_of_a_long_job_is_not_the_time_that_the_next_has_waited() -> None:
    pool = Pool()
    pool.give()
    await pool.ask()
    assert await pool.begun() == ["a"]
    await asyncio.sleep(20)
    pool.give(who="b")
    assert pool.wait_s == 0
    await asyncio.sleep(2)
    assert pool.wait_s == 2


@in_virtual_time
async def test_a_pause_that_turned_out_to_be_the_end_begins_to_wait_now() -> None:
    pool = Pool()
    pool.give()
    await pool.ask()
    assert await pool.begun() == ["a"]
    await asyncio.sleep(20)
    early = pool.give("early", "b")
    await asyncio.sleep(5)
    assert pool.wait_s == 0
    assert early.confirm()
    assert pool.wait_s == 0
    await asyncio.sleep(1)
    assert pool.wait_s == 1


@in_virtual_time
async def test_nor_is_the_time_in_a_worker_that_died() -> None:
    pool = Pool()
    pool.give()
    await pool.ask()
    assert await pool.begun() == ["a"]
    await asyncio.sleep(20)
    pool.queue.died("A")
    assert pool.wait_s == 0
    await asyncio.sleep(1)
    assert pool.wait_s == 1


@in_virtual_time
async def test_those_who_have_left_keep_nobody_out() -> None:
    """The worker hangs; the sessions that wait for it give up and leave."""
    pool = Pool()
    pool.give()
    await pool.ask()
    assert await pool.begun() == ["a"]
    waiting = [pool.give(who=who) for who in "bcd"]
    await asyncio.sleep(20)
    assert pool.wait_s == 20
    for submission in waiting:
        assert submission.withdraw()
    assert pool.wait_s == 0
    assert pool.waiting == (0, 0, 0)


@in_virtual_time
async def test_long_recordings_of_before_do_not_make_short_segments_wait() -> None:
    """Of finals that took 20 s for a minute, one second takes a third."""
    pool = Pool(2)
    for _ in range(100):
        pool.queue.record_duration(20.0, 60.0)
    for who in "abcd":
        pool.give(who=who)
    assert pool.wait_s == pytest.approx(4 * (1 / 3) / 2, rel=0.1)


@in_virtual_time
async def test_short_segments_that_cost_more_than_their_length_do_not_either() -> None:
    """A model whose cost is the same for any length: a minute would not take 60 times as long."""
    pool = Pool()
    for _ in range(100):
        pool.queue.record_duration(0.5, 0.5)
    pool.submit((np.zeros(60 * 16_000, np.float32),), "final", session="a", channel="a")
    assert pool.wait_s == pytest.approx(0.5, rel=0.1)


@in_virtual_time
async def test_a_job_that_waited_for_a_worker_does_not_wait_for_others_too() -> None:
    pool = Pool(batch=4, window_s=WINDOW_S)
    pool.give()
    await asyncio.sleep(10)
    await pool.ask()
    assert await pool.begun() == ["a"]


@in_virtual_time
async def test_of_its_wait_for_others_only_the_rest_is_left() -> None:
    pool = Pool(batch=4, window_s=WINDOW_S)
    pool.give(who="a")
    await asyncio.sleep(WINDOW_S / 2)
    pool.give(who="b")
    await pool.ask()
    await asyncio.sleep(WINDOW_S * 0.49)
    assert await pool.begun() == []
    await asyncio.sleep(WINDOW_S * 0.02)
    assert await pool.begun() == ["a", "b"]


@in_virtual_time
async def test_an_idle_worker_does_not_shorten_the_wait() -> None:
    pool = Pool(batch=4, window_s=WINDOW_S)
    await pool.ask()
    await asyncio.sleep(WINDOW_S * 0.9)
    pool.give(who="a")
    await asyncio.sleep(WINDOW_S * 0.9)
    assert await pool.begun() == []
    pool.give(who="b")
    await asyncio.sleep(WINDOW_S * 0.2)
    assert await pool.begun() == ["a", "b"]


@in_virtual_time
async def test_a_job_that_runs_alone_waits_for_nobody() -> None:
    pool = Pool(batch=4, window_s=WINDOW_S)
    pool.give()
    await pool.ask()
    await asyncio.sleep(WINDOW_S)
    assert await pool.begun() == ["a"]
    pool.queue.died("A")
    await pool.ask()
    assert await pool.begun() == ["a"]


@in_virtual_time
async def test_one_that_does_not_fill_a_batch_waits_although_others_of_its_kind_left() -> None:
    pool = Pool(2, batch=2, window_s=WINDOW_S)
    for worker in "AB":
        await pool.ask(worker)
    for who in "abc":
        pool.give(who=who)
    assert await pool.begun("A") == ["a", "b"]
    assert await pool.begun("B") == []
    pool.give(who="d")
    assert await pool.begun("B") == ["c", "d"]


@in_virtual_time
async def test_a_job_of_another_kind_does_not_fill_a_batch() -> None:
    pool = Pool(batch=2, window_s=WINDOW_S)
    await pool.ask()
    pool.give("final", "a")
    pool.give("interim", "b")
    assert await pool.begun() == []
    pool.give("final", "c")
    assert await pool.begun() == ["a", "c"]


@in_virtual_time
async def test_interims_that_supersede_each_other_wait_no_longer_than_one() -> None:
    pool = Pool(batch=2, window_s=1.0)
    await pool.ask()
    for _ in range(4):
        pool.give("interim")
        await asyncio.sleep(0.3)
    assert await pool.begun() == ["a"]


@in_virtual_time
async def test_who_leaves_does_not_take_the_others_time_along() -> None:
    pool = Pool(batch=4, window_s=WINDOW_S)
    await pool.ask()
    leaves = pool.give(who="a")
    await asyncio.sleep(WINDOW_S / 2)
    pool.give(who="b")
    leaves.withdraw()
    await asyncio.sleep(WINDOW_S * 0.6)
    assert await pool.begun() == []
    await asyncio.sleep(WINDOW_S * 0.5)
    assert await pool.begun() == ["b"]


@in_virtual_time
async def test_a_worker_that_is_replaced_lets_an_idle_one_have_the_interims() -> None:
    """While one of two runs an interim, the other is kept free, and then it is not."""
    pool = Pool(2)
    for worker in "AB":
        await pool.ask(worker)
    pool.give("interim", "a")
    pool.give("interim", "b")
    assert await pool.begun("A") == ["a"]
    assert await pool.begun("B") == []
    pool.queue.finished("A")  # and asks for no more: it has run its share
    assert await pool.begun("B") == ["b"]


@in_virtual_time
async def test_who_leaves_does_not_cost_a_session_its_turn() -> None:
    pool = Pool()
    first, _, _ = pool.give(who="a"), pool.give(who="a"), pool.give(who="b")
    first.withdraw()
    await pool.ask()
    assert await pool.begun() == ["a"]
