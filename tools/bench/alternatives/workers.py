"""Threads in the place of worker processes."""

import asyncio
import multiprocessing
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import psutil

from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tools.bench.alternatives.networks import speech_segments
from tools.bench.live import MODEL, RATE
from tools.bench.result_files import Row

_models: dict[int, Moonshine] = {}
"""In a worker: the model of each thread."""


def workers() -> list[Row]:
    """Threads beside processes: as much audio as one or two of them can take."""
    segments = [segment for segment in speech_segments() if len(segment) > RATE]
    rows: list[Row] = []
    for count in (1, 2):
        for kind in ("threads", "processes"):
            context = multiprocessing.get_context("spawn")
            executor: Executor = (
                ThreadPoolExecutor(count)
                if kind == "threads"
                else ProcessPoolExecutor(count, mp_context=context)
            )
            with executor:
                rows.append({"workers": f"{count} {kind}", **_throughput(executor, segments)})
            _models.clear()
    return rows


def _throughput(executor: Executor, segments: list[Floats]) -> Row:
    lags_ms: list[float] = []

    async def work() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(executor, _infer, s) for s in segments[:4]))
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(lags_ms))
            started_s = time.perf_counter()
            for _ in range(2):
                await asyncio.gather(*(loop.run_in_executor(executor, _infer, s) for s in segments))
            passed = time.perf_counter() - started_s
            watching.cancel()
        return passed

    wall = asyncio.run(work())
    speech = 2 * sum(map(len, segments)) / RATE
    process = psutil.Process()
    memory = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    p50, p99 = np.percentile(lags_ms, (50, 99))
    return {
        "speech s per s": round(speech / wall, 1),
        "loop late p50 ms": round(float(p50), 1),
        "p99 ms": round(float(p99), 1),
        "memory of all MB": round(memory / 1e6),
    }


def _infer(segment: Floats) -> float:
    """In a worker: its own model, and the CPU seconds that the inference took."""
    model = _models.get(threading.get_ident())
    if model is None:
        model = _models[threading.get_ident()] = Moonshine(require(MODEL))
        model.warm_up()
    started_s = time.thread_time()
    model.infer(segment)
    return time.thread_time() - started_s


async def _watch(lags_ms: list[float]) -> None:
    """What an event loop in this process feels: how late an appointment in 5 ms is."""
    while True:
        started_s = time.perf_counter()
        await asyncio.sleep(0.005)
        lags_ms.append(1000 * (time.perf_counter() - started_s - 0.005))
