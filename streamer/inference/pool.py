"""The worker pool: jobs in, results out, whatever happens to the workers.

One task for each worker supervises its process: load, take the next job, answer, and replace the
process when it died, hung, or has done its share of jobs. Nothing is shared between workers, so
the death of one can neither block nor spoil another.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.config import InferenceConfig
from streamer.inference import wire
from streamer.inference.model import ModelSpec
from streamer.inference.process import ModelCannotLoad, WorkerDied, WorkerProcess
from streamer.inference.scheduler import Scheduler

_log = logging.getLogger(__name__)

MAX_ATTEMPTS = 2
"""A segment whose worker died is tried once more, on another worker."""

MAX_FAILED_LOADS = 3
"""Loads that may fail in a row, once the model has loaded before, until the pool gives up."""


class InferenceError(Exception):
    """A segment that gets no result."""


class InferenceFailed(InferenceError):
    """The model raised on it."""


class InferenceTimedOut(InferenceError):
    """It ran past `inference.timeout_seconds`."""


class WorkerLost(InferenceError):
    """Its worker died, and the worker of its retry too."""


class PoolClosed(InferenceError):
    """The server is shutting down."""


Output = dict[str, Any]
Result = asyncio.Future[Output]


@dataclass(eq=False, slots=True)
class _Job:
    """One inference. Whoever cancels `result` does not want it any more: it is not begun then."""

    samples: npt.NDArray[np.float32]
    result: Result
    attempts: int = 0


class WorkerPool:
    """Worker processes of one model. Whoever makes a pool runs it: `run` in a task of its own.

    Args:
        spec: The model.
        config: Number of workers, deadlines, and jobs after which a worker is replaced.
    """

    def __init__(self, spec: ModelSpec, config: InferenceConfig) -> None:
        self.spec = spec
        self._config = config
        self._size = config.workers or os.cpu_count() or 1
        self._scheduler: Scheduler[_Job] = Scheduler()
        self._idle: deque[asyncio.Future[_Job]] = deque()
        self._warm: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._alive = 0
        self._failed_loads = 0

    async def run(self) -> None:
        """Keep the workers alive until cancelled; none is left behind when this returns.

        Raises:
            ModelCannotLoad: The pool gave up; the message says why.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for index in range(self._size):
                    group.create_task(self._supervise(f"{self.spec.name}-{index}"))
        except* ModelCannotLoad as failures:
            raise failures.exceptions[0] from None
        finally:
            while (job := self._next_wanted()) is not None:
                _fail(job, PoolClosed("the server is shutting down"))

    @property
    def ready(self) -> bool:
        """Whether every worker has been warm once, and one is alive now."""
        return self._warm.done() and self._alive > 0

    @property
    def sample_rate(self) -> int | None:
        """The model's rate in Hz, once it is known."""
        return self._warm.result() if self._warm.done() else None

    @property
    def workers_alive(self) -> int:
        """Workers that are loaded now."""
        return self._alive

    async def wait_ready(self) -> int:
        """Wait until the workers are warm; returns the model's sample rate in Hz."""
        return await asyncio.shield(self._warm)

    def infer(self, samples: npt.NDArray[np.float32]) -> Result:
        """Queue a segment; the future raises an `InferenceError` when it gets no result.

        Args:
            samples: float32 [n] at the model's sample rate; must not change until the result.
        """
        job = _Job(samples, asyncio.get_running_loop().create_future())
        self._scheduler.add_final(job)
        self._dispatch()
        return job.result

    def infer_interim(self, channel: Hashable, samples: npt.NDArray[np.float32]) -> Result:
        """Queue a growing segment; the future is cancelled when it is superseded."""
        job = _Job(samples, asyncio.get_running_loop().create_future())
        superseded = self._scheduler.add_interim(channel, job)
        if superseded is not None:
            superseded.result.cancel()
        self._dispatch()
        return job.result

    def drop_interim(self, channel: Hashable) -> None:
        """Cancel the waiting interim of a channel."""
        dropped = self._scheduler.drop_interim(channel)
        if dropped is not None:
            dropped.result.cancel()

    def _dispatch(self) -> None:
        """Give waiting jobs to idle workers."""
        while self._idle and self._scheduler:
            offer = self._idle.popleft()
            if offer.done():
                continue
            job = self._next_wanted()
            if job is None:
                self._idle.appendleft(offer)
                return
            offer.set_result(job)

    def _next_wanted(self) -> _Job | None:
        while (job := self._scheduler.next()) is not None:
            if not job.result.done():
                return job
        return None

    async def _supervise(self, name: str) -> None:
        """Keep one worker alive for as long as the pool is."""
        while True:
            worker = await WorkerProcess.launch(self.spec, name)
            at_once = True
            try:
                if await self._load(worker):
                    self._alive += 1
                    try:
                        at_once = not await self._serve(worker)
                    finally:
                        self._alive -= 1
            finally:
                await worker.end(at_once=at_once)

    async def _load(self, worker: WorkerProcess) -> bool:
        try:
            async with asyncio.timeout(self._config.load_timeout_seconds):
                await worker.loaded()
        except TimeoutError:
            reason = f"it did not load within {self._config.load_timeout_seconds:g} s"
        except ModelCannotLoad as error:
            reason = str(error)
        else:
            self._failed_loads = 0
            if not self._warm.done() and self._alive == self._size - 1:
                self._warm.set_result(worker.sample_rate)
            _log.info("worker loaded", extra={"worker": worker.pid})
            return True
        self._failed_loads += 1
        if not self._warm.done() or self._failed_loads >= MAX_FAILED_LOADS:
            raise ModelCannotLoad(f"model '{self.spec.name}' cannot be loaded: {reason}")
        _log.error("worker could not load its model: %s", reason)
        await asyncio.sleep(2**self._failed_loads)
        return False

    async def _serve(self, worker: WorkerProcess) -> bool:
        """Run jobs until the worker is to be replaced; True when it may end by itself."""
        served = 0
        while not self._config.max_jobs_per_worker or served < self._config.max_jobs_per_worker:
            job = await self._next_job(worker)
            if job is None:
                _log.warning("worker died while idle", extra={"worker": worker.pid})
                return False
            if not await self._run(worker, job):
                return False
            served += 1
        return True

    async def _next_job(self, worker: WorkerProcess) -> _Job | None:
        """The next job, or None when the worker died before there was one."""
        offer: asyncio.Future[_Job] = asyncio.get_running_loop().create_future()
        self._idle.append(offer)
        self._dispatch()
        try:
            await asyncio.wait((offer, worker.lost), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if offer.done():
                _fail(offer.result(), PoolClosed("the server is shutting down"))
            raise
        finally:
            offer.cancel()
        return None if offer.cancelled() else offer.result()

    async def _run(self, worker: WorkerProcess, job: _Job) -> bool:
        """Run one job and settle its result; False when the worker has to be replaced."""
        job.attempts += 1
        limit_s = self._config.timeout_seconds
        try:
            async with asyncio.timeout(limit_s):
                answer = await worker.infer(job.samples)
        except TimeoutError:
            _fail(job, InferenceTimedOut(f"inference took longer than {limit_s:g} s"))
            return False
        except WorkerDied:
            self._after_death(job, worker)
            return False
        except asyncio.CancelledError:
            _fail(job, PoolClosed("the server is shutting down"))
            raise
        if isinstance(answer, wire.Raised):
            _fail(job, InferenceFailed(answer.reason))
        elif not job.result.done():
            job.result.set_result(answer.output)
        return True

    def _after_death(self, job: _Job, worker: WorkerProcess) -> None:
        _log.warning("worker died during a job", extra={"worker": worker.pid})
        if job.attempts < MAX_ATTEMPTS:
            self._scheduler.put_back(job)
            self._dispatch()
        else:
            _fail(job, WorkerLost("the worker process died on this segment twice"))


def _fail(job: _Job, error: InferenceError) -> None:
    if not job.result.done():
        job.result.set_exception(error)
