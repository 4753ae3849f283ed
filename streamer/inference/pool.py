"""The worker pool: jobs in, results out, whatever happens to the workers.

One task for each worker supervises its process: load, take the next jobs, answer, and replace the
process when it died, hung, or has done its share. Nothing is shared between workers, so the death
of one can neither block nor spoil another. Which job goes where is `scheduler.py`'s to say.
"""

import asyncio
import logging
import os
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from streamer.config import InferenceConfig
from streamer.inference import wire
from streamer.inference.model import ModelSpec
from streamer.inference.process import ModelCannotLoad, WorkerDied, WorkerProcess, new_slot
from streamer.inference.result import (
    Attempt,
    Fate,
    InferenceError,
    InferenceFailed,
    InferenceTimedOut,
    Inferred,
    PoolClosed,
    Result,
    WorkerLost,
)
from streamer.inference.scheduler import Job, Scheduler
from streamer.monitor import Monitor, RestartCause, ShedReason

_log = logging.getLogger(__name__)

MAX_FAILED_LOADS = 3
"""Loads that may fail in a row, once the model has loaded before, until the pool gives up."""

MAX_KILLED_LOADS = 10
"""Loads that signals may end in a row, before the model has loaded once."""

RETRY_S = 1.0

SMOOTHING = 1 / 16
"""Weight of the newest final in the average of what one takes."""

Samples = npt.NDArray[np.float32]


@dataclass(eq=False, slots=True, kw_only=True)
class _Inference(Job):
    """A job with its audio. Whoever cancels `result` does not want it any more."""

    samples: Samples
    state: bytes | None
    result: Result
    added_s: float
    made: list[Attempt] = field(default_factory=list)

    @property
    def wanted(self) -> bool:
        return not self.result.done()

    def fail(self, error: InferenceError) -> None:
        if not self.result.done():
            error.attempts = tuple(self.made)
            self.result.set_exception(error)

    def settle(self, answer: wire.Done | wire.Raised) -> None:
        if isinstance(answer, wire.Raised):
            error = InferenceFailed(answer.reason)
            error.where = answer.where
            self.fail(error)
        elif not self.result.done():
            self.result.set_result(
                Inferred(answer.output, answer.state, answer.seconds, tuple(self.made))
            )


@dataclass(slots=True)
class Counters:
    """What the pool has done since it started."""

    finals: int = 0
    interims: int = 0
    interims_shed: int = 0
    """Superseded or dropped before a worker began them."""
    early_used: int = 0
    early_wasted: int = 0
    inference_seconds: float = 0.0
    interim_seconds: float = 0.0
    workers_replaced: dict[str, int] = field(
        default_factory=lambda: {"died": 0, "timeout": 0, "max_jobs": 0}
    )


class WorkerPool:
    """Worker processes of one model. Whoever makes a pool runs it: `run` in a task of its own.

    Args:
        spec: The model.
        config: Number of workers, deadlines, and jobs after which a worker is replaced.
        monitor: Told of what is done.
    """

    def __init__(
        self, spec: ModelSpec, config: InferenceConfig, monitor: Monitor | None = None
    ) -> None:
        self.spec = spec
        self.counters = Counters()
        self._monitor = monitor or Monitor()
        self._config = config
        self._size = config.workers or os.cpu_count() or 1
        self._loop = asyncio.get_running_loop()
        self._scheduler: Scheduler[_Inference] = Scheduler(self._size)
        self._offers: dict[WorkerProcess, asyncio.Future[tuple[_Inference, ...]]] = {}
        self._gathering: asyncio.TimerHandle | None = None
        self._warm: asyncio.Future[wire.Ready] = self._loop.create_future()
        self._alive = 0
        self._closed = False
        self._mean_s = 0.0
        self._last_taken_s = self._loop.time()

    async def run(self) -> None:
        """Keep the workers alive until cancelled; none is left behind when this returns.

        Raises:
            ModelCannotLoad: The pool gave up; the message says why.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._size):
                    supervisor = self._supervise(number)
                    group.create_task(self._monitor.tracked("inference", supervisor))
        except* ModelCannotLoad as failures:
            raise failures.exceptions[0] from None
        finally:
            self._closed = True
            for job in self._scheduler.drain():
                job.fail(PoolClosed("the server is shutting down"))

    @property
    def ready(self) -> bool:
        """Whether every worker has been warm once, and one is alive now."""
        return self._warm.done() and self._alive > 0

    @property
    def sample_rate(self) -> int | None:
        """The model's rate in Hz, once it is known."""
        return self._warm.result().sample_rate if self._warm.done() else None

    @property
    def stateful(self) -> bool:
        """Whether a channel's segments must run one after another; known once warm."""
        return self._warm.done() and self._warm.result().stateful

    @property
    def queue_seconds(self) -> float:
        """How long the segment of a session that comes now would wait for a worker, about."""
        waiting = self._scheduler.sessions_waiting
        if not waiting:
            return 0.0
        expected_s = waiting * self._mean_s / self._size
        # What is known for sure, when the workers hang or are gone.
        return max(expected_s, self._loop.time() - self._last_taken_s)

    @property
    def max_seconds(self) -> float | None:
        """The longest audio that the model takes, if that is bounded; known once warm."""
        return self._warm.result().max_seconds if self._warm.done() else None

    @property
    def workers_alive(self) -> int:
        """Workers that are loaded now."""
        return self._alive

    @property
    def workers_wanted(self) -> int:
        """Workers there are meant to be."""
        return self._size

    @property
    def finals_waiting(self) -> int:
        """Segments that no worker has begun."""
        return self._scheduler.finals_waiting

    @property
    def interims_waiting(self) -> int:
        """Growing segments that no worker has begun."""
        return self._scheduler.interims_waiting

    async def wait_ready(self) -> int:
        """Wait until the workers are warm; returns the model's sample rate in Hz."""
        return (await asyncio.shield(self._warm)).sample_rate

    def infer(
        self, samples: Samples, *, session: Hashable, channel: Hashable, state: bytes | None = None
    ) -> Result:
        """Queue a segment; the future raises an `InferenceError` when it gets no result.

        Args:
            samples: float32 [n] at the model's sample rate; must not change until the result.
            session: Takes turns with others.
            channel: Whose segment it is.
            state: Of a stateful model, what the channel's last segment returned.
        """
        return self._add(samples, session, channel, state=state)

    def infer_early(
        self, samples: Samples, *, session: Hashable, channel: Hashable
    ) -> Result | None:
        """Infer a segment that may turn out to go on, if a worker has nothing else to do."""
        if not self._offers or self._scheduler.finals_waiting:
            return None
        return self._add(samples, session, channel)

    def infer_interim(
        self, samples: Samples, *, session: Hashable, channel: Hashable, state: bytes | None = None
    ) -> Result:
        """Queue a growing segment; the future is cancelled when it is superseded."""
        return self._add(samples, session, channel, interim=True, state=state)

    def drop_interim(self, channel: Hashable) -> bool:
        """Cancel the waiting interim of a channel; returns whether there was one."""
        return self._shed(self._scheduler.drop_interim(channel), "dropped")

    def _add(
        self,
        samples: Samples,
        session: Hashable,
        channel: Hashable,
        *,
        interim: bool = False,
        state: bytes | None = None,
    ) -> Result:
        job = _Inference(
            session=session,
            channel=channel,
            interim=interim,
            samples=samples,
            state=state,
            result=self._loop.create_future(),
            added_s=self._monitor.clock(),
        )
        if self._closed:
            job.fail(PoolClosed("the server is shutting down"))
            return job.result
        self._shed(self._scheduler.add(job), "superseded")
        self._dispatch_soon()
        return job.result

    def _shed(self, job: _Inference | None, reason: ShedReason) -> bool:
        if job is None:
            return False
        self.counters.interims_shed += 1
        self._monitor.interim_shed(self.spec.name, reason)
        job.result.cancel()
        return True

    def _dispatch_soon(self) -> None:
        """At once, unless the model would rather wait until more jobs can go together."""
        scheduler = self._scheduler
        waiting = scheduler.finals_waiting + scheduler.interims_waiting
        wait_ms = self._warm.result().max_batch_wait_ms if self._warm.done() else 0.0
        if not wait_ms or waiting >= scheduler.max_batch_size:
            self._dispatch()
        elif self._gathering is None:
            self._gathering = self._loop.call_later(wait_ms / 1000, self._dispatch)

    def _dispatch(self) -> None:
        """Give waiting jobs to idle workers."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        for worker in list(self._offers):
            jobs = self._scheduler.take(worker)
            if not jobs:
                return
            self._last_taken_s = self._loop.time()
            self._offers.pop(worker).set_result(jobs)

    async def _supervise(self, number: int) -> None:
        """Keep one worker alive for as long as the pool is."""
        failed_loads = 0
        slot = new_slot()
        while True:
            try:
                worker = await WorkerProcess.launch(self.spec, number, slot)
            except OSError as error:  # no more processes or descriptors: there may be, later
                _log.error("cannot start a worker: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            cause = None
            try:
                problem = await self._load(worker)
                if problem is None:
                    failed_loads = 0
                    cause = await self._serve(worker)
            finally:
                await worker.end(at_once=cause != "max_jobs")
            if problem is not None:
                failed_loads += 1
                self._judge(problem, failed_loads)
                await asyncio.sleep(min(RETRY_S, failed_loads * RETRY_S / 10))
            elif cause is not None:
                self.counters.workers_replaced[cause] += 1
                self._monitor.worker_replaced(self.spec.name, cause)
                _log.warning("worker %s-%d is replaced: %s", self.spec.name, number, cause)

    async def _load(self, worker: WorkerProcess) -> ModelCannotLoad | WorkerDied | None:
        try:
            async with asyncio.timeout(self._config.load_timeout_seconds):
                ready = await worker.loaded()
        except TimeoutError:
            return ModelCannotLoad(f"it took over {self._config.load_timeout_seconds:g} s")
        except (ModelCannotLoad, WorkerDied) as problem:
            return problem
        if not self._warm.done() and self._alive == self._size - 1:
            self._scheduler.max_batch_size = ready.max_batch_size
            self._warm.set_result(ready)
        _log.info("worker %s is loaded and warm", worker.pid)
        return None

    def _judge(self, problem: ModelCannotLoad | WorkerDied, failed_loads: int) -> None:
        """Give up on a model that does not load; a process may be killed by anybody.

        Raises:
            ModelCannotLoad: The pool gives up.
        """
        killed = isinstance(problem, WorkerDied)
        if self._warm.done():
            give_up = not killed and failed_loads >= MAX_FAILED_LOADS
        else:
            give_up = not killed or failed_loads >= MAX_KILLED_LOADS
        if give_up:
            raise ModelCannotLoad(f"model '{self.spec.name}' cannot be loaded: {problem}")
        _log.error("a worker could not load its model: %s", problem)

    async def _serve(self, worker: WorkerProcess) -> RestartCause:
        """Run jobs until the worker has to be replaced; returns why."""
        self._alive += 1
        try:
            return await self._serve_until(worker)
        finally:
            self._alive -= 1

    async def _serve_until(self, worker: WorkerProcess) -> RestartCause:
        most = self._config.max_jobs_per_worker
        served = 0
        while not most or served < most:
            jobs = await self._next_jobs(worker)
            if not jobs:
                return "died"
            if cause := await self._run(worker, jobs):
                return cause
            served += len(jobs)
        return "max_jobs"

    async def _next_jobs(self, worker: WorkerProcess) -> tuple[_Inference, ...]:
        """The next jobs, or none when the worker died before there were any."""
        offer: asyncio.Future[tuple[_Inference, ...]] = self._loop.create_future()
        self._offers[worker] = offer
        self._dispatch_soon()
        try:
            await asyncio.wait((offer, worker.lost), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            for job in offer.result() if offer.done() else ():
                job.fail(PoolClosed("the server is shutting down"))
            raise
        finally:
            self._offers.pop(worker, None)
        return offer.result() if offer.done() else ()

    async def _run(
        self, worker: WorkerProcess, jobs: tuple[_Inference, ...]
    ) -> RestartCause | None:
        """Run jobs and settle their results; returns why the worker has to be replaced, if so."""
        limit_s = self._config.timeout_seconds
        begun = not worker.lost.done()
        begun_s = self._monitor.clock()
        self._monitor.batch(self.spec.name, len(jobs))
        try:
            async with asyncio.timeout(limit_s):
                answers = await worker.infer(
                    [job.samples for job in jobs], [job.state for job in jobs]
                )
        except TimeoutError:
            self._attempted(worker, jobs, begun_s, "timeout")
            # Which segment of a batch it was that hung shows when each runs alone.
            alone = len(jobs) == 1
            given_up = list(jobs) if alone else self._scheduler.died(worker)
            if alone:
                self._scheduler.finished(worker)
            for job in given_up:
                job.fail(InferenceTimedOut(f"inference took longer than {limit_s:g} s"))
            self._dispatch()
            return "timeout"
        except WorkerDied:
            self._attempted(worker, jobs, begun_s, "died")
            for job in self._scheduler.died(worker, begun=begun):
                job.fail(WorkerLost("the worker process died on this segment twice"))
            self._dispatch()
            return "died"
        except asyncio.CancelledError:
            for job in jobs:
                job.fail(PoolClosed("the server is shutting down"))
            raise
        self._scheduler.finished(worker)
        self._monitor.worker_used(
            self.spec.name, worker.number, answers.cpu_s, answers.peak_memory_bytes
        )
        for job, answer in zip(jobs, answers.results, strict=True):
            done = isinstance(answer, wire.Done)
            job.made.append(
                Attempt(worker.pid, answers.begun_s, answers.ended_s, "ok" if done else "raised")
            )
            self._count(job, answer.seconds, answers.begun_s)
            job.settle(answer)
        return None

    def _attempted(
        self, worker: WorkerProcess, jobs: tuple[_Inference, ...], begun_s: float, outcome: Fate
    ) -> None:
        for job in jobs:
            job.made.append(Attempt(worker.pid, begun_s, self._monitor.clock(), outcome))

    def _count(self, job: _Inference, seconds: float, begun_s: float) -> None:
        self.counters.inference_seconds += seconds
        if job.interim:
            self.counters.interims += 1
            self.counters.interim_seconds += seconds
        else:
            self.counters.finals += 1
            self._mean_s += (seconds - self._mean_s) * SMOOTHING
        self._monitor.inferred(
            self.spec.name,
            interim=job.interim,
            queue_s=begun_s - job.added_s,
            inference_s=seconds,
            media_s=len(job.samples) / self._warm.result().sample_rate,
        )
