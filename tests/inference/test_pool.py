"""The pool with real processes and real signals."""

import asyncio
import logging
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import uvloop

from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import (
    InferenceFailed,
    InferenceTimedOut,
    JobKind,
    PendingInference,
    PoolClosed,
    SegmentAudio,
    WorkerLost,
)
from streamer.inference.pool import WorkerPool
from streamer.inference.worker import THREAD_VARIABLES
from streamer.inference.worker_process import ModelCannotLoad
from streamer.inference.worker_program import SLOT_SAMPLES
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor
from tests.inference.misbehaving import (
    DIE,
    DIE_ONCE,
    FINE,
    FORGE,
    HANG,
    ODD,
    QUIT,
    RAISE,
    SLOW,
    WORK,
)

HERE = str(Path(__file__).parent)
PATIENCE_S = 60


@asynccontextmanager
async def running(
    folder: Path | None, model: str, monitor: Monitor | None = None, **settings: Any
) -> AsyncIterator[WorkerPool]:
    spec = ModelSpec(
        f"misbehaving:{model}", "test", str(folder) if folder else None, search_path=(HERE,)
    )
    async with pool_of(spec, monitor, **settings) as pool:
        yield pool


@asynccontextmanager
async def pool_of(
    spec: ModelSpec, monitor: Monitor | None = None, **settings: Any
) -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(spec, InferenceConfig(**{"workers": 2, **settings}), monitor)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(pool.run())
        await pool.wait_ready()
        yield pool
        task.cancel()


def segment(what: int, tag: float = 0.0, length: int = 100) -> SegmentAudio:
    samples = np.zeros(length, dtype=np.float32)
    samples[0], samples[-1] = what, tag
    return np.array_split(samples, 3)


def infer(pool: WorkerPool, what: int, tag: float = 0.0, length: int = 100) -> PendingInference:
    audio = segment(what, tag, length)
    return pool.submit(audio, "final", session="s", channel="c").result


def workers() -> set[psutil.Process]:
    return {p for p in psutil.Process().children() if _is_worker(p)}


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("spawn_main" in word for word in process.cmdline())
    except psutil.Error:  # it has just ended
        return False


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 – what is waited for happens in other processes
        await asyncio.sleep(0.01)


async def test_a_model_that_raises_fails_that_segment_only(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient") as pool:
        bad, good = infer(pool, RAISE), infer(pool, FINE, 7)
        with pytest.raises(InferenceFailed, match="RuntimeError: told to fail") as failure:
            await bad
        assert "misbehaving.py" in failure.value.where
        assert [attempt.outcome for attempt in failure.value.attempts] == ["raised"]
        assert (await good).output["tag"] == 7
        with pytest.raises(InferenceFailed, match="JSON"):
            await infer(pool, ODD)
        assert pool.counters.workers_replaced == {"died": 0, "timeout": 0, "max_jobs": 0}


@pytest.mark.parametrize("given", [None, "2"])
async def test_products_use_one_thread_unless_the_environment_says_more(
    monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", given)
    async with running(None, "Threads") as pool:
        threads = (await infer(pool, FINE)).output["threads"]
    assert threads == [min(int(given or 1), os.cpu_count() or 1)]


async def test_what_a_model_says_when_it_raises_cannot_forge_or_flood(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient") as pool:
        with pytest.raises(InferenceFailed, match=r"caf. INFO all is well!+$") as failure:
            await infer(pool, FORGE)
        assert len(str(failure.value)) <= 500


async def test_a_segment_whose_worker_dies_is_tried_once_more(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient") as pool:
        assert (await infer(pool, DIE_ONCE, 3)).output["tag"] == 3
        assert pool.counters.workers_replaced["died"] == 1


async def test_a_segment_that_kills_twice_is_lost_and_no_other(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient") as pool:
        results = [infer(pool, DIE if i == 5 else FINE, i) for i in range(20)]
        done = await asyncio.gather(*results, return_exceptions=True)
        assert isinstance(done.pop(5), WorkerLost)
        tags = [r.output["tag"] for r in done if not isinstance(r, BaseException)]
        assert tags == [i for i in range(20) if i != 5]
        await until(lambda: pool.workers_alive == 2)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (signal.SIGKILL, "killed by SIGKILL: perhaps the machine, or its container, was out of"),
        (signal.SIGSEGV, "killed by SIGSEGV: a library in native code that the model uses"),
        (signal.SIGUSR1, "killed by SIGUSR1"),
    ],
)
async def test_the_signal_that_ends_a_worker_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, number: signal.Signals, says: str
) -> None:
    async with running(tmp_path, "Obedient", workers=1):
        (worker,) = workers()
        worker.send_signal(number)
        await until(lambda: "is replaced" in caplog.text)
    assert f"is replaced: died: {says}" in caplog.text


async def test_how_a_worker_ended_is_said_of_the_segment_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, "Obedient", workers=1) as pool:
        with pytest.raises(WorkerLost, match=r"segment twice: (exit code \d|killed by SIG)"):
            await infer(pool, DIE)
    assert "is replaced: died: " in caplog.text


async def test_one_that_hangs_is_ended_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, "Obedient", workers=1, timeout_seconds=0.5) as pool:
        before = workers()
        hangs, waits = infer(pool, HANG), infer(pool, FINE, 1)
        with pytest.raises(InferenceTimedOut, match=r"0\.5 s \(inference\.timeout"):
            await hangs
        assert (await waits).output["tag"] == 1
        assert "a segment took longer than 0.5 s (inference.timeout_seconds)" in caplog.text
        assert not before & workers()
        assert pool.counters.workers_replaced["timeout"] == 1


async def test_a_stopped_worker_is_one_that_hangs(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient", workers=1, timeout_seconds=0.5) as pool:
        (worker,) = workers()
        worker.send_signal(signal.SIGSTOP)
        with pytest.raises(InferenceTimedOut):
            await infer(pool, FINE)
        assert (await infer(pool, FINE, 2)).output["tag"] == 2


async def test_workers_are_replaced_after_their_share_between_jobs(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient", workers=1, max_jobs_per_worker=3) as pool:
        results = await asyncio.gather(*(infer(pool, FINE, i) for i in range(9)))
        pids = [result.output["pid"] for result in results]
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 3]


class Broken(Monitor):
    """Cannot count."""

    def inferred(self, *args: object, **fields: object) -> None:
        raise ZeroDivisionError

    batch = worker_used = inferred


async def test_a_monitor_that_cannot_count_costs_no_segment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, "Batcher", Broken(), workers=1) as pool:
        for _ in range(2):
            results = await asyncio.gather(*(infer(pool, FINE, tag) for tag in range(4)))
            assert [result.output["tag"] for result in results] == [0, 1, 2, 3]
        assert pool.counters.workers_replaced == {"died": 0, "timeout": 0, "max_jobs": 0}
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in errors] == ["a batch could not be counted"] * 2


async def test_chaos_loses_nothing(tmp_path: Path) -> None:
    """Workers are killed at random moments under load, idle or busy."""
    chance = random.Random(4)
    async with running(tmp_path, "Obedient") as pool:
        finals: list[PendingInference] = []
        killed, descriptors = 0, psutil.Process().num_fds()
        while killed < 20:
            for _ in range(chance.randrange(20)):
                finals.append(infer(pool, FINE, len(finals)))
            await asyncio.sleep(chance.random() * 0.05)
            # Whichever there are: some run a job, some are idle, some still load.
            for worker in sorted(workers(), key=lambda p: p.pid)[: chance.randrange(3)]:
                worker.kill()
                killed += 1
        done = await asyncio.gather(*finals, return_exceptions=True)
        # A segment can only be lost if both of its two workers were among those killed.
        lost = [result for result in done if isinstance(result, BaseException)]
        assert all(isinstance(result, WorkerLost) for result in lost)
        assert len(lost) <= killed // 2
        assert [r.output["tag"] for r in done if not isinstance(r, BaseException)] == [
            i for i, r in enumerate(done) if not isinstance(r, BaseException)
        ]
        await until(lambda: pool.workers_alive == 2)
        assert psutil.Process().num_fds() == descriptors


def test_a_worker_that_dies_as_it_is_given_a_job_takes_nobody_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The server's own event loop raises when a closed connection is written to."""

    async def kill_and_infer() -> None:
        async with running(tmp_path, "Obedient", workers=1) as pool:
            for tag in range(5):
                await until(lambda: pool.workers_alive == 1 and pool.queue.idle_workers == 1)
                (worker,) = workers()
                worker.kill()
                while worker.status() != psutil.STATUS_ZOMBIE:
                    time.sleep(0.001)  # noqa: ASYNC251 – the pool is not to notice yet
                assert (await infer(pool, FINE, tag)).output["tag"] == tag

    uvloop.run(kill_and_infer())
    assert not [record for record in caplog.records if record.levelno == logging.ERROR]


async def test_a_defect_costs_a_worker_and_no_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: object) -> bytes:
        monkeypatch.undo()
        raise AssertionError("injected")

    async with running(tmp_path, "Obedient") as pool:
        monkeypatch.setattr(ipc, "encode_message", fail)
        assert (await infer(pool, FINE, 7)).output["tag"] == 7
        await until(lambda: pool.workers_alive == 2)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "injected" in str(record.exc_info)


async def test_segments_go_together_and_a_bad_one_fails_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, "Batcher", workers=1) as pool:
        good = await asyncio.gather(*(infer(pool, FINE, i) for i in range(4)))
        assert [result.output["batch"] for result in good] == [4] * 4
        assert [result.output["tag"] for result in good] == [0, 1, 2, 3]
        mixed = [infer(pool, what, i) for i, what in enumerate((FINE, RAISE, FINE, ODD))]
        done = await asyncio.gather(*mixed, return_exceptions=True)
        assert [isinstance(result, InferenceFailed) for result in done] == [
            False,
            True,
            False,
            True,
        ]
        assert caplog.text.count("a batch failed, so its segments were run alone") == 1
        dying = [infer(pool, what, i) for i, what in enumerate((FINE, DIE, FINE, FINE))]
        done = await asyncio.gather(*dying, return_exceptions=True)
        assert [isinstance(result, WorkerLost) for result in done] == [False, True, False, False]


async def test_one_that_hangs_in_a_batch_takes_nobody_with_it(tmp_path: Path) -> None:
    async with running(tmp_path, "Batcher", workers=1, timeout_seconds=0.5) as pool:
        hanging = [infer(pool, what, i) for i, what in enumerate((FINE, HANG, FINE, FINE))]
        done = await asyncio.gather(*hanging, return_exceptions=True)
        assert [isinstance(r, InferenceTimedOut) for r in done] == [False, True, False, False]


async def test_a_wrong_number_of_results_is_noticed(tmp_path: Path) -> None:
    async with running(tmp_path, "Batcher", workers=1) as pool:
        done = await asyncio.gather(*(infer(pool, SLOW, i) for i in range(4)))
        assert [result.output["batch"] for result in done] == [1] * 4, "each was tried alone"
        assert [result.output["tag"] for result in done] == [0, 1, 2, 3]


async def test_a_lonely_segment_does_not_wait_for_a_full_batch(tmp_path: Path) -> None:
    async with running(tmp_path, "Batcher", workers=1) as pool:
        assert (await infer(pool, FINE)).output["batch"] == 1


async def test_state_goes_from_segment_to_segment_over_workers(tmp_path: Path) -> None:
    async with running(None, "Running") as pool:
        assert pool.stateful
        state = None
        for count in range(1, 6):
            audio = segment(FINE, 1.0)
            done = await pool.submit(audio, "final", session=1, channel=1, state=state).result
            state = done.state
            assert done.output == {"sum": count}


async def test_a_segment_longer_than_the_slot(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient", workers=1) as pool:
        for length in (SLOT_SAMPLES, SLOT_SAMPLES + 1):
            assert (await infer(pool, FINE, 5, length)).output["count"] == length


async def test_interims_are_superseded_before_they_run(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient", workers=1) as pool:
        busy = infer(pool, SLOW)
        interims = [
            pool.submit(segment(FINE, i), "interim", session="s", channel="c").result
            for i in range(5)
        ]
        await busy
        assert (await interims[-1]).output["tag"] == 4
        assert all(interim.cancelled() for interim in interims[:-1])
        assert (pool.counters.interims, pool.counters.interims_shed) == (1, 4)


async def test_nothing_is_begun_early_when_all_workers_are_busy(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient") as pool:
        pool.submit(segment(FINE), "early", session=1, channel=1)
        slow = [infer(pool, SLOW), infer(pool, SLOW)]
        await until(lambda: pool.queue.idle_workers == 0)
        late, vain = (pool.submit(segment(FINE), "early", session=n, channel=n) for n in "ab")
        assert vain.withdraw()
        assert vain.result.cancelled()
        final = infer(pool, FINE)
        assert late.confirm()
        await asyncio.gather(*slow, final, late.result)


async def test_what_nobody_wants_any_more_is_left_half_way(tmp_path: Path) -> None:
    async with running(tmp_path, "Patient", workers=1) as pool:
        kinds: tuple[JobKind, ...] = ("early", "final")
        for kind in kinds:
            vain = pool.submit(segment(WORK, 600), kind, session=1, channel=1)
            await until((tmp_path / "begun").exists)
            assert not vain.withdraw()
            assert (await infer(pool, FINE, 3)).output["tag"] == 3
            (tmp_path / "begun").unlink()
        assert pool.counters.workers_replaced == {"died": 0, "timeout": 0, "max_jobs": 0}
        assert pool.counters.finals == 2, "and nothing is learnt from what was left"


async def test_a_batch_goes_on_while_anybody_wants_it(tmp_path: Path) -> None:
    async with running(tmp_path, "Patient", workers=1) as pool:
        vain, wanted = infer(pool, WORK, 0.3), infer(pool, WORK, 0.4)
        await until((tmp_path / "begun").exists)
        vain.cancel()
        assert (await wanted).output["tag"] == pytest.approx(0.4)
        both = [infer(pool, WORK, 600), infer(pool, WORK, 600)]
        await asyncio.sleep(0.05)
        for result in both:
            result.cancel()
        assert (await infer(pool, FINE, 5)).output["tag"] == 5


async def test_to_give_one_up_never_touches_the_next(tmp_path: Path) -> None:
    chance = random.Random(3)
    async with running(tmp_path, "Patient", workers=1) as pool:
        for number in range(150):
            vain = infer(pool, WORK, 0.002)
            await asyncio.sleep(chance.uniform(0.020, 0.026))  # about when it is done
            vain.cancel()
            assert (await infer(pool, WORK, 0.001 * (number % 3))).output


async def test_a_model_that_gives_up_what_is_wanted_has_failed(tmp_path: Path) -> None:
    async with running(tmp_path, "Patient", workers=1) as pool:
        with pytest.raises(InferenceFailed, match="raised Unwanted"):
            await infer(pool, QUIT)
        assert (await infer(pool, FINE, 3)).output["tag"] == 3


async def test_a_model_that_cannot_be_loaded_is_given_up_at_once() -> None:
    spec = ModelSpec("misbehaving:Unloadable", "test", search_path=(HERE,))
    with pytest.raises(ModelCannotLoad, match="OSError: no weights here"):
        await asyncio.wait_for(WorkerPool(spec, InferenceConfig(workers=2)).run(), PATIENCE_S)
    assert not workers()


async def test_closing_fails_what_waits_and_leaves_no_process(tmp_path: Path) -> None:
    async with running(tmp_path, "Obedient", workers=1) as pool:
        results = [infer(pool, SLOW) for _ in range(3)]
        await asyncio.sleep(0)
    done = await asyncio.gather(*results, return_exceptions=True)
    assert all(isinstance(result, PoolClosed) for result in done)
    assert not workers()
