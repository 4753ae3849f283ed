"""Workers that come, wait, go and stand in for each other, with scripted worker processes."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.crew import CrewPlan
from streamer.inference.job import WorkerLost
from streamer.inference.job_runner import MAX_LOST
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import ModelCannotLoad
from streamer.inference.worker_program import LOCAL, Program
from streamer.models.registry import ModelSpec

READY = ipc.Ready(16_000, 1, 0.0, stateful=False)
UNAVAILABLE = ipc.NotYet("unavailable", "no such cluster")
WAITING = ipc.NotYet("waiting", "for room")


def far(*_: object) -> None:
    """Stands for the entry point of a bridge; it is never run."""


class Worker:
    """A worker process that does what the test says."""

    def __init__(self, number: int, program: Program) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.remote = program.remote
        self.place = (number, "node" if program.remote else "")
        self.lost: asyncio.Future[None] = loop.create_future()
        self.messages: asyncio.Queue[ipc.NotYet | ipc.Ready | ModelCannotLoad | WorkerDied] = (
            asyncio.Queue()
        )
        self.answers: asyncio.Queue[ipc.BatchOutcome | WorkerDied] = asyncio.Queue()
        self.jobs = 0
        self.ended = False

    @property
    def gone(self) -> bool:
        return self.lost.done()

    async def loaded(self, on_wait: Callable[[ipc.NotYet], None]) -> ipc.Ready:
        while isinstance(message := await self.messages.get(), ipc.NotYet):
            on_wait(message)
        if isinstance(message, ModelCannotLoad | WorkerDied):
            raise message
        return message

    async def infer(self, segments: Any, *_: object) -> ipc.BatchOutcome:
        self.jobs += 1
        answer = await self.answers.get()
        if isinstance(answer, WorkerDied):
            self.die()
            raise answer
        return answer

    def die(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def answer(self, inference_s: float = 0.1, way_s: float = 0.0) -> None:
        done = ipc.Done({"by": self.number}, inference_s)
        outcome = ipc.BatchOutcome([done], 0.0, inference_s + way_s, 0.1, 1)
        self.answers.put_nowait(outcome)

    async def end(self, *, at_once: bool = False) -> None:
        del at_once
        self.ended = True
        self.die()

    async def how_it_ended(self) -> str:
        return "exit code 1"

    def abandon(self) -> None:
        pass


class Workers:
    """All that were started, the last one of each number."""

    def __init__(self) -> None:
        self.all: list[Worker] = []

    async def launch(
        self, _: ModelSpec, number: int, __: object, program: Program = LOCAL
    ) -> Worker:
        self.all.append(Worker(number, program))
        return self.all[-1]

    def living(self, *, remote: bool) -> list[Worker]:
        return [one for one in self.all if one.remote is remote and not one.ended]


@asynccontextmanager
async def pool_with(
    monkeypatch: pytest.MonkeyPatch, crew: CrewPlan, *, local: int = 0, **settings: Any
) -> AsyncIterator[tuple[WorkerPool, Workers]]:
    workers = Workers()
    monkeypatch.setattr("streamer.inference.supervisor.WorkerProcess.launch", workers.launch)
    config = InferenceConfig(workers=local, **settings)
    pool = WorkerPool(ModelSpec("t:M", "test"), config, crew=crew)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(pool.run())
        yield pool, workers
        task.cancel()
    assert all(one.ended for one in workers.all)


def plan(
    workers: int, spare: int = 0, least: int | None = None, most: int | None = None
) -> CrewPlan:
    least, most = workers if least is None else least, workers if most is None else most
    program = Program(far, remote=True, advice="is a node here?")
    return CrewPlan(lambda _: program, workers, least, most, spare)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 – several tasks make it true
        await asyncio.sleep(0.001)


def submit(pool: WorkerPool) -> Submission:
    return pool.submit([np.zeros(16, np.float32)], "final", session="s", channel="c")


async def test_a_pool_without_local_workers_is_ready_with_the_first_remote_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with pool_with(monkeypatch, plan(2)) as (pool, workers):
        await until(lambda: len(workers.living(remote=True)) == 2)
        assert not pool.ready
        assert pool.workers_wanted == 2
        first, second = workers.living(remote=True)
        second.messages.put_nowait(WAITING)
        first.messages.put_nowait(READY)
        await pool.wait_ready()
        assert (pool.ready, pool.workers_alive) == (True, 1)
        job = submit(pool)
        first.answer()
        result = await job.result
        assert result.output == {"by": first.number}
        assert [attempt.node for attempt in result.attempts] == ["node"]


async def test_a_worker_may_wait_for_room_longer_than_a_model_may_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with pool_with(monkeypatch, plan(1), load_timeout_seconds=0.5) as (pool, workers):
        await until(lambda: workers.living(remote=True))
        (worker,) = workers.living(remote=True)
        worker.messages.put_nowait(WAITING)
        await asyncio.sleep(1.0)
        assert workers.all == [worker]
        worker.messages.put_nowait(READY)
        await pool.wait_ready()


async def test_one_that_does_not_load_is_replaced_and_the_pool_does_not_give_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streamer.inference.supervisor.SPARE_RETRY_S", 0.01)
    async with pool_with(monkeypatch, plan(1), load_timeout_seconds=0.01) as (pool, workers):
        await until(lambda: len(workers.all) > 5)
        assert not pool.ready


async def test_local_workers_stand_in_while_there_is_no_cluster_and_go_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with pool_with(monkeypatch, plan(3, spare=2)) as (pool, workers):
        await until(lambda: len(workers.living(remote=True)) == 3)
        assert not workers.living(remote=False), "perhaps there is a cluster"
        for worker in workers.living(remote=True):
            worker.messages.put_nowait(UNAVAILABLE)
        await until(lambda: len(workers.living(remote=False)) == 2)
        for worker in workers.living(remote=False):
            worker.messages.put_nowait(READY)
        await pool.wait_ready()
        await until(lambda: pool.workers_alive == 2)
        job = submit(pool)
        await until(lambda: any(worker.jobs for worker in workers.all))
        (busy,) = [worker for worker in workers.all if worker.jobs]
        for worker in workers.living(remote=True):
            worker.messages.put_nowait(READY)
        await until(lambda: workers.living(remote=False) == [busy])
        await asyncio.sleep(0.05)
        assert not busy.ended, "it has a job"
        busy.answer()
        assert (await job.result).output == {"by": busy.number}
        await until(lambda: not workers.living(remote=False))
        assert pool.workers_alive == 3
    said = [one.getMessage() for one in caplog.records if "stand in" in one.getMessage()]
    assert said[0].endswith("local workers of test that stand in for remote ones: from 0 to 2")
    assert said[-1].endswith(" to 0")


async def test_a_local_worker_that_cannot_stand_in_does_not_end_the_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The model may need what only the nodes have."""
    monkeypatch.setattr("streamer.inference.supervisor.SPARE_RETRY_S", 0.01)
    async with pool_with(monkeypatch, plan(1, spare=1)) as (pool, workers):
        await until(lambda: workers.living(remote=True))
        (bridge,) = workers.living(remote=True)
        bridge.messages.put_nowait(UNAVAILABLE)
        for _ in range(12):
            await until(lambda: workers.living(remote=False))
            (standing_in,) = workers.living(remote=False)
            standing_in.messages.put_nowait(ModelCannotLoad("there is no GPU"))
            await until(functools.partial(getattr, standing_in, "ended"))
        assert not pool.ready
        bridge.messages.put_nowait(READY)
        await pool.wait_ready()
        await until(lambda: not workers.living(remote=False))


@pytest.mark.parametrize("before", [[], [ipc.NotYet("connecting", "")], [WAITING]])
async def test_a_bridge_that_ends_without_a_word_is_no_fault_of_the_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, before: list[ipc.NotYet]
) -> None:
    monkeypatch.setattr("streamer.inference.supervisor.SPARE_RETRY_S", 0.01)
    caplog.set_level(logging.INFO)
    async with pool_with(monkeypatch, plan(1, spare=1)) as (pool, workers):
        for _ in range(3):
            await until(lambda: workers.living(remote=True))
            (bridge,) = workers.living(remote=True)
            for message in before:
                bridge.messages.put_nowait(message)
            bridge.messages.put_nowait(WorkerDied("killed by SIGKILL", by_model=False))
            await until(functools.partial(getattr, bridge, "ended"))
        await until(lambda: workers.living(remote=False))
        assert pool.crew is not None
        (supervisor,) = pool.crew.supervisors
        assert supervisor.status.unavailable
        assert pool.waits_for_remote
    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    why = "its process on this machine has ended: killed by SIGKILL; is a node here?"
    assert set(warnings) == {f"worker test-0 has no model yet: {why}"}
    assert before == [WAITING] or len(warnings) == 1, "the same again is not said again"


async def test_one_that_ends_after_it_has_said_why_is_not_explained_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with pool_with(monkeypatch, plan(1)) as (_, workers):
        for _ in range(3):
            await until(lambda: workers.living(remote=True))
            (bridge,) = workers.living(remote=True)
            bridge.messages.put_nowait(UNAVAILABLE)
            bridge.messages.put_nowait(WorkerDied("exit code 1", by_model=False))
            await until(functools.partial(getattr, bridge, "ended"))
    (line,) = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert line == "worker test-0 has no model yet: no such cluster"


async def test_the_log_has_why_more_or_fewer_remote_workers_are_wanted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("streamer.inference.crew.PERIOD_S", 0.01)
    monkeypatch.setattr("streamer.inference.elastic.GROW_AFTER_S", 0.0)
    monkeypatch.setattr("streamer.inference.elastic.GROW_DELAY_S", 0.01)
    monkeypatch.setattr("streamer.inference.elastic.SHRINK_AFTER_S", 0.1)
    caplog.set_level(logging.INFO)
    async with pool_with(monkeypatch, plan(1, most=2)) as (pool, workers):
        await until(lambda: workers.living(remote=True))
        workers.all[0].messages.put_nowait(READY)
        await pool.wait_ready()
        jobs = [submit(pool) for _ in range(3)]
        await until(lambda: pool.workers_wanted == 2)
        for _ in jobs:
            workers.all[0].answer()
        for job in jobs:
            await job.result
        await until(lambda: pool.workers_wanted == 1)
    lines = [one.getMessage() for one in caplog.records if "remote workers of" in one.getMessage()]
    grown, fallen = lines
    assert grown.startswith("remote workers of test: from 1 to 2, because a new segment would")
    assert "waited over 0.01 s" in grown
    assert fallen.startswith("remote workers of test: from 2 to 1, because no new segment would")
    assert "workers were busy" in fallen


async def test_early_finals_begin_earlier_by_the_way_to_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leads_s = []
    for way_s in (0.0, 0.2):
        async with pool_with(monkeypatch, plan(1)) as (pool, workers):
            await until(lambda: workers.living(remote=True))
            (worker,) = workers.living(remote=True)
            worker.messages.put_nowait(READY)
            await pool.wait_ready()
            for _ in range(100):
                worker.answer(0.1, way_s)
                audio = [np.zeros(16_000, np.float32)]
                await pool.submit(audio, "final", session="s", channel="c").result
            leads_s.append(pool.queue.lead_seconds(1.0))
    near_s, far_s = leads_s
    assert far_s - near_s == pytest.approx(0.2 * 1.2, rel=0.05)


async def test_a_cluster_that_is_gone_again_and_again_is_not_taken_for_one_that_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with pool_with(monkeypatch, plan(1, spare=1)) as (_, workers):
        await until(lambda: workers.living(remote=True))
        workers.all[0].messages.put_nowait(UNAVAILABLE)
        await until(lambda: workers.living(remote=False))
        (standing_in,) = workers.living(remote=False)
        standing_in.messages.put_nowait(READY)
        for _ in range(3):
            (bridge,) = workers.living(remote=True)
            bridge.messages.put_nowait(ipc.NotYet("connecting", ""))
            bridge.messages.put_nowait(UNAVAILABLE)
            await asyncio.sleep(0.02)
        assert not standing_in.ended


async def test_the_loss_of_machines_is_no_death_on_a_segment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with pool_with(monkeypatch, plan(1)) as (pool, workers):
        job = submit(pool)
        for _ in range(4):
            await until(lambda: workers.living(remote=True))
            (worker,) = workers.living(remote=True)
            worker.messages.put_nowait(READY)
            worker.answers.put_nowait(WorkerDied("its node is gone", by_model=False))
            await until(functools.partial(getattr, worker, "ended"))
        await until(lambda: workers.living(remote=True))
        (worker,) = workers.living(remote=True)
        worker.messages.put_nowait(READY)
        worker.answer()
        outcomes = [attempt.outcome for attempt in (await job.result).attempts]
        assert outcomes == ["died"] * 4 + ["ok"]


@pytest.mark.parametrize(("by_model", "deaths"), [(True, 2), (False, MAX_LOST + 2)])
async def test_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, by_model: bool, deaths: int
) -> None:
    async with pool_with(monkeypatch, plan(1)) as (pool, workers):
        job = submit(pool)
        for _ in range(deaths):
            await until(lambda: workers.living(remote=True))
            (worker,) = workers.living(remote=True)
            worker.messages.put_nowait(READY)
            worker.answers.put_nowait(WorkerDied("gone", by_model=by_model, detail="10.0.0.7"))
            await until(functools.partial(getattr, worker, "ended"))
        with pytest.raises(WorkerLost, match="gone") as failure:
            await job.result
        assert "10.0.0.7" not in str(failure.value), "clients see this"


async def test_a_final_that_waits_too_long_brings_more_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streamer.inference.elastic.GROW_AFTER_S", 0.0)
    monkeypatch.setattr("streamer.inference.elastic.GROW_DELAY_S", 0.01)
    async with pool_with(monkeypatch, plan(1, most=3)) as (pool, workers):
        await until(lambda: workers.living(remote=True))
        workers.all[0].messages.put_nowait(READY)
        await pool.wait_ready()
        jobs = [submit(pool) for _ in range(5)]
        await until(lambda: len(workers.living(remote=True)) == 2)
        assert pool.workers_wanted == 2
        workers.all[1].messages.put_nowait(READY)
        await until(lambda: len(workers.living(remote=True)) == 3)
        for worker in workers.all:
            for _ in jobs:
                worker.answer()
        for job in jobs:
            await job.result
