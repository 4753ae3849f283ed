"""Batches that are not needed any more, in a real process: before they begin, and as they begin."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer.inference import ipc
from streamer.inference.job import SegmentAudio
from streamer.inference.worker_process import WorkerProcess
from streamer.inference.worker_program import SLOT_SAMPLES, new_slot
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor
from tests.inference.misbehaving import FINE, WORK
from tests.inference.test_pool import HERE, PATIENCE_S, infer, running, segment, until


@asynccontextmanager
async def worker(folder: Path, model: str) -> AsyncIterator[WorkerProcess]:
    spec = ModelSpec(f"misbehaving:{model}", "test", str(folder), search_path=(HERE,))
    process = await WorkerProcess.launch(spec, 0, new_slot())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await process.loaded()
            yield process
    finally:
        await process.end(at_once=True)


async def infer_while_stopped(
    process: WorkerProcess, segments: Sequence[SegmentAudio], *, abandon: bool
) -> ipc.BatchOutcome:
    """The worker finds all that was sent to it at once."""
    os.kill(process.pid, signal.SIGSTOP)
    async with asyncio.TaskGroup() as tasks:
        answers = tasks.create_task(
            process.infer(segments, [None] * len(segments), [ipc.DEFAULT_REQUEST] * len(segments))
        )
        await asyncio.sleep(0)
        if abandon:
            process.abandon()
        os.kill(process.pid, signal.SIGCONT)
    return answers.result()


@pytest.mark.parametrize("model", ["Obedient", "Patient"])
@pytest.mark.parametrize("batch", [1, 2])
async def test_a_batch_that_comes_together_with_its_end_is_not_begun(
    tmp_path: Path, model: str, batch: int
) -> None:
    """Whether the model asks for it or not."""
    async with worker(tmp_path, model) as process:
        segments = [segment(WORK, 2.0)] * batch
        answers = await infer_while_stopped(process, segments, abandon=True)
        assert answers.outcomes == [ipc.Abandoned()] * batch
        assert not (tmp_path / "begun").exists()
        answers = await infer_while_stopped(process, [segment(FINE, 3)], abandon=False)
        assert isinstance(answers.outcomes[0], ipc.Done), "it is not mistaken for the next one's"


async def test_nor_one_that_is_longer_than_the_slot(tmp_path: Path) -> None:
    """Its audio is in the message, of which the worker reads a piece at a time."""
    async with worker(tmp_path, "Patient") as process:
        long = segment(WORK, 2.0, SLOT_SAMPLES + 1)
        async with asyncio.TaskGroup() as tasks:
            answers = tasks.create_task(process.infer([long], [None], [ipc.DEFAULT_REQUEST]))
            await asyncio.sleep(0)
            process.abandon()
        assert answers.result().outcomes == [ipc.Abandoned()]


async def test_the_end_of_a_batch_that_was_done_already_does_not_end_the_next(
    tmp_path: Path,
) -> None:
    async with worker(tmp_path, "Patient") as process:
        await process.infer([segment(FINE)], [None], [ipc.DEFAULT_REQUEST])
        os.kill(process.pid, signal.SIGSTOP)
        process.abandon()
        answers = await infer_while_stopped(process, [segment(WORK, 0.01)], abandon=False)
        assert isinstance(answers.outcomes[0], ipc.Done)


async def test_what_is_withdrawn_before_its_worker_begins_never_reaches_the_model(
    tmp_path: Path,
) -> None:
    """It has been given to the worker, and its audio is released."""
    async with running(tmp_path, "Obedient", workers=1) as pool:
        await infer(pool, FINE)
        lead_s = pool.queue.lead_seconds(60)
        for _ in range(20):
            assert pool.queue.idle_workers == 1
            vain = pool.submit(segment(FINE), "final", session="s", channel="c")
            assert pool.queue.idle_workers == 0
            assert not vain.withdraw()
            await until(lambda: pool.queue.idle_workers)
        assert pool.counters.finals == 1
        assert pool.queue.lead_seconds(60) == lead_s, "it is no measure of how long finals take"
        assert (await infer(pool, FINE, 3)).output["tag"] == 3


class Busy(Monitor):
    """Adds up how long workers had jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.busy_s = 0.0

    def worker_busy(self, model: str, seconds: float) -> None:
        self.busy_s += seconds


async def test_a_worker_is_busy_with_what_is_abandoned_too(tmp_path: Path) -> None:
    """Or a pool could be full, and look as if it had time."""
    monitor = Busy()
    async with running(tmp_path, "Patient", monitor, workers=1) as pool:
        vain = pool.submit(segment(WORK, 30.0), "early", session="s", channel="c")
        await until((tmp_path / "begun").exists)
        await asyncio.sleep(0.05)
        vain.withdraw()
        await until(lambda: pool.counters.abandoned_seconds)
        assert pool.counters.inference_seconds == 0
        assert monitor.busy_s >= pool.counters.abandoned_seconds >= 0.05


async def test_nor_does_it_spoil_the_batch_of_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, "Batcher", workers=1) as pool:
        results = [infer(pool, FINE, tag) for tag in range(4)]
        assert pool.queue.idle_workers == 0
        results[1].cancel()
        done = await asyncio.gather(*results, return_exceptions=True)
    outputs = [result.output for result in done if not isinstance(result, BaseException)]
    assert [(output["tag"], output["batch"]) for output in outputs] == [(0, 3), (2, 3), (3, 3)]
    assert not [record for record in caplog.records if "run alone" in record.getMessage()]
