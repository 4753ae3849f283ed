"""One job of each kind, among good ones, with workers that share nothing."""

import asyncio
import logging
import resource
from pathlib import Path

import numpy as np

from docs.book.code.fragile import CRASH, HANG, RAISE
from streamer.config.models import InferenceConfig
from streamer.inference.job import InferenceError
from streamer.inference.pool import WorkerPool
from streamer.models.registry import ModelSpec

JOBS = {"good": 0, "crash": CRASH, "raise": RAISE, "hang": HANG, "good again": 0}


async def main() -> None:
    """Submit all at once, and show what becomes of each."""
    spec = ModelSpec("fragile:Fragile", "fragile", None, search_path=(str(Path(__file__).parent),))
    pool = WorkerPool(spec, InferenceConfig(workers=2, timeout_seconds=1.0))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(pool.run())
        await pool.wait_ready()
        results = [
            pool.submit([np.full(100, what, np.float32)], "final", session="s", channel="c").result
            for what in JOBS.values()
        ]
        outcomes = await asyncio.gather(*results, return_exceptions=True)
        for name, outcome in zip(JOBS, outcomes, strict=True):
            if isinstance(outcome, InferenceError):
                print(f"{name:10}  {type(outcome).__name__}: {str(outcome).partition(':')[0]}")
            else:
                print(f"{name:10}  {outcome.output}")
        running.cancel()


if __name__ == "__main__":
    logging.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asyncio.run(main())
