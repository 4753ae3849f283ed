"""Keeps one worker alive.

Start it, load the model, run jobs in it, and replace it when it died, hung, or has run
`inference.max_jobs_per_worker` jobs.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from streamer.config.schema import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import (
    Counters,
    InferenceFailed,
    InferenceJob,
    InferenceTimedOut,
    PendingInference,
    WorkerLost,
)
from streamer.inference.queue import JobBatch, JobQueue
from streamer.inference.work_counter import WorkCounter
from streamer.inference.worker_process import (
    LOCAL,
    ModelCannotLoad,
    Program,
    WorkerDied,
    WorkerProcess,
    new_slot,
)
from streamer.inference.worker_status import WorkerStatus
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import AttemptOutcome, Monitor, RestartCause
from streamer.observe.timeline import Attempt

_log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds before a process is started again, at most."""

SPARE_RETRY_S = 10.0
"""The same for a worker without which the pool goes on, and whose model did not load here."""

MAX_LOST = 5
"""Times that a job runs again because the machine of a remote worker was lost with it."""

_Cause = RestartCause | Literal["retired"]


class Supervisor:
    """Owns one worker process after another.

    Args:
        number: Which of the pool's workers it is, from 0.
        spec: The model.
        config: Deadlines, and jobs after which a worker is replaced.
        queue: Where the jobs come from.
        warm: Done once all workers of the pool have been warm.
        on_loaded: Called with the model's properties, each time that it was loaded.
        counters: Of the pool.
        monitor: Receives what is measured.
        program: What the process does.
        needed: Whether the pool gives up when this worker cannot load its model.
        on_state: Called after each change of its status.
    """

    def __init__(
        self,
        number: int,
        *,
        spec: ModelSpec,
        config: InferenceConfig,
        queue: JobQueue,
        warm: asyncio.Future[ipc.Ready],
        on_loaded: Callable[[ipc.Ready], None],
        counters: Counters,
        monitor: Monitor,
        program: Program = LOCAL,
        needed: bool = True,
        on_state: Callable[[], None] = lambda: None,
    ) -> None:
        self._number = number
        self._program = program
        self._needed = needed
        self._retired: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._spec = spec
        self._config = config
        self._queue = queue
        self._warm = warm
        self._on_loaded = on_loaded
        self._counters = counters
        self._monitor = monitor
        self._lost = ""
        """How the machine of a remote worker was lost, if it is known."""
        self._counter = WorkCounter(spec.name, number, queue, counters, monitor)
        name = f"{spec.name}-{number}"
        self.status = WorkerStatus(name, config.load_timeout_seconds, on_state)

    @property
    def number(self) -> int:
        """Which of the pool's workers it is, from 0."""
        return self._number

    @property
    def alive(self) -> bool:
        """Whether the worker is loaded now."""
        return self.status.state == "alive"

    def retire(self) -> None:
        """End when the jobs that run now are done; a worker that is not alive has none."""
        if not self._retired.done():
            self._retired.set_result(None)

    async def run(self) -> None:
        """Keep a worker alive until cancelled or retired; no process is left when this returns.

        Raises:
            ModelCannotLoad: The model does not load; the message says why.
        """
        slot = new_slot()
        while not self._retired.done():
            try:
                worker = await WorkerProcess.launch(self._spec, self._number, slot, self._program)
            except OSError as error:  # out of processes or descriptors, perhaps not for long
                _log.error("cannot start a worker: %s", error.strerror or error)
                await asyncio.sleep(RETRY_S)
                continue
            cause, how = None, ""
            try:
                problem = await self._load(worker)
                if problem is None:
                    cause = await self._serve(worker)
                if cause == "died" and self._program.remote:
                    how = f": {self._lost or 'its actor, its node or the head is gone'}"
                elif cause == "died":
                    how = f": {await worker.how_it_ended()}"
                elif cause == "timeout":
                    how = f": a segment {self._over_limit}"
            finally:
                self.status.starts_again()
                await worker.end(at_once=cause not in ("max_jobs", "retired"))
            if problem is not None:
                self._count_failed_load(problem)
                spare = not (self._needed or self._program.remote)
                most_s = SPARE_RETRY_S if spare else RETRY_S
                await asyncio.sleep(min(most_s, self.status.failed_loads * most_s / 10))
            elif cause is not None and cause != "retired":
                self._counters.workers_replaced[cause] += 1
                self._monitor.worker_replaced(self._spec.name, cause)
                _log.warning("worker %s is replaced: %s%s", self.status.name, cause, how)

    async def _load(self, worker: WorkerProcess) -> ModelCannotLoad | WorkerDied | None:
        """Wait until the model is loaded; returns why it is not, if so."""
        try:
            async with asyncio.timeout(self._config.load_timeout_seconds) as limit:
                ready = await worker.loaded(lambda why: self.status.waits(why, limit))
        except TimeoutError:
            limit_s = self._config.load_timeout_seconds
            return ModelCannotLoad(f"it took over {limit_s:g} s (inference.load_timeout_seconds)")
        except (ModelCannotLoad, WorkerDied) as problem:
            return problem
        self._lost = ""
        self.status.loaded(ready.node)
        self._on_loaded(ready)
        source = f": {self._spec.type} of {ready.source}" if ready.source else ""
        place = f" on {ready.node}" if ready.node else ""
        _log.info("worker %s%s is loaded and warm%s", worker.place[0], place, source)
        return None

    def _count_failed_load(self, problem: ModelCannotLoad | WorkerDied) -> None:
        """Go on, or give up on a model that does not load.

        Raises:
            ModelCannotLoad: The pool gives up.
        """
        if self.status.gives_up(
            problem,
            was_warm=self._warm.done(),
            remote=self._program.remote,
            needed=self._needed,
        ):
            raise ModelCannotLoad(f"model '{self._spec.name}' cannot be loaded: {problem}")
        if not self.status.waits_for:  # otherwise it has said so itself
            _log.error("a worker could not load its model: %s", problem)

    async def _serve(self, worker: WorkerProcess) -> _Cause:
        """Run jobs until the worker has to be replaced; returns why."""
        max_jobs = self._config.max_jobs_per_worker
        served = 0
        while not max_jobs or served < max_jobs:
            if self._retired.done():
                return "retired"
            done, cause = await self._serve_next(worker)
            if cause is not None:
                return cause
            served += done
        return "max_jobs"

    async def _serve_next(self, worker: WorkerProcess) -> tuple[int, _Cause | None]:
        """Wait for jobs and run them; returns how many, and why the worker has to be replaced.

        Jobs lead to their stream and all its audio, so no variable may hold them while the worker
        waits for the next jobs.
        """
        jobs = await self._queue.next_batch(worker, worker.lost, self._retired)
        if not jobs:
            return 0, "died" if worker.lost.done() else "retired"
        return len(jobs), await self._run(worker, jobs)

    async def _run(self, worker: WorkerProcess, jobs: JobBatch) -> RestartCause | None:
        """Run jobs and settle their results; returns why the worker has to be replaced, if so."""
        # Some may have been withdrawn since they were given out, and have no audio any more.
        jobs = tuple(job for job in jobs if job.needed and _can_be_sent(job))
        if not jobs:
            self._queue.finished(worker)
            return None
        begun = not worker.gone
        begun_s = self._monitor.clock()
        running = True

        def abandon_unneeded(_: PendingInference) -> None:
            if running and not any(job.needed for job in jobs):
                worker.abandon()

        for job in jobs:
            job.result.add_done_callback(abandon_unneeded)
        try:
            answers = await self._infer(worker, jobs)
        except TimeoutError:
            self._counter.broke_off(worker.place, jobs, begun_s, "timeout")
            for job in self._hung(worker, jobs):
                job.fail(InferenceTimedOut(f"inference {self._over_limit}"))
            return "timeout"
        except asyncio.CancelledError:
            for job in jobs:
                job.fail_pool_closed()
            raise
        except Exception as error:
            if not isinstance(error, WorkerDied):  # a defect; the worker may be in any state
                _log.exception("a worker could not be given its jobs")
            self._counter.broke_off(worker.place, jobs, begun_s, "died")
            if isinstance(error, WorkerDied):
                self._lost = error.detail
            if isinstance(error, WorkerDied) and not error.by_model:
                begun = begun and any(len(job.attempts) > MAX_LOST for job in jobs)
            for job in self._queue.died(worker, begun=begun):
                how = f": {error}" if isinstance(error, WorkerDied) else ""
                job.fail(WorkerLost(f"the worker process died on this segment twice{how}"))
            return "died"
        finally:
            running = False
            for job in jobs:
                job.result.remove_done_callback(abandon_unneeded)
        self._answered(worker, jobs, answers)
        return None

    async def _infer(self, worker: WorkerProcess, jobs: JobBatch) -> ipc.BatchOutcome:
        """Run jobs in the worker.

        Raises:
            TimeoutError: It took too long.
            WorkerDied: The process ended before it answered; the message says how.
        """
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                return await worker.infer(
                    [job.audio for job in jobs],
                    [job.state for job in jobs],
                    [job.drafted_request for job in jobs],
                )
        except WorkerDied as error:
            how = str(error) or await worker.how_it_ended()
            raise WorkerDied(how, by_model=error.by_model, detail=error.detail) from None

    @property
    def _over_limit(self) -> str:
        limit_s = self._config.timeout_seconds
        return f"took longer than {limit_s:g} s (inference.timeout_seconds)"

    def _hung(self, worker: WorkerProcess, jobs: JobBatch) -> Sequence[InferenceJob]:
        """The jobs that are given up. Jobs of a batch run again, each alone: one of them hung."""
        if len(jobs) > 1:
            return self._queue.died(worker)
        self._queue.finished(worker)
        return jobs

    def _answered(self, worker: WorkerProcess, jobs: JobBatch, answers: ipc.BatchOutcome) -> None:
        """Settle the jobs, then count: nothing that counts can keep a result back."""
        self._queue.finished(worker)
        for job, outcome in zip(jobs, answers.outcomes, strict=True):
            if not isinstance(outcome, ipc.Abandoned):
                done: AttemptOutcome = "ok" if isinstance(outcome, ipc.Done) else "raised"
                attempt = Attempt(*worker.place, answers.begun_s, answers.ended_s, done)
                job.attempts.append(attempt)
            job.settle(outcome)
        try:
            self._counter.answered(worker.place, jobs, answers)
        except Exception:  # a defect of a monitor; the worker is fine
            _log.exception("a batch could not be counted")


def _can_be_sent(job: InferenceJob) -> bool:
    """Whether a message can hold the job. If not, it fails, and neither others nor the worker."""
    problem = ipc.problem_of(job.request)
    if problem is not None:
        job.fail(InferenceFailed(problem))
    return problem is None
