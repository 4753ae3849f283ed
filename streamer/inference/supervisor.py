"""Keeps one worker alive.

Start it, load the model, give it jobs (`job_runner.py`), and replace it when it died, hung, or has
run `inference.max_jobs_per_worker` jobs.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import Counters
from streamer.inference.job_runner import JobRunner
from streamer.inference.queue import JobQueue
from streamer.inference.work_counter import WorkCounter
from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import ModelCannotLoad, WorkerProcess
from streamer.inference.worker_program import LOCAL, Program, new_slot
from streamer.inference.worker_status import WorkerStatus
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor, RestartCause

_log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds before a process is started again, at most."""

SPARE_RETRY_S = 10.0
"""The same for a worker without which the pool goes on, and whose model did not load here."""

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
        self._counter = WorkCounter(spec.name, number, queue, counters, monitor)
        self.status = WorkerStatus(self._counter.worker, config.load_timeout_seconds, on_state)

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
                runner = JobRunner(worker, self._config, self._queue, self._counter, self._monitor)
                problem = await self._load(worker)
                if problem is None:
                    cause = await self._serve(worker, runner)
                if cause == "died" and self._program.remote:
                    how = f": {runner.lost or 'its actor, a node or the head is gone'}"
                elif cause == "died":
                    how = f": {await worker.how_it_ended()}"
                elif cause == "timeout":
                    how = f": a segment {runner.over_limit}"
            finally:
                self.status.starts_again()
                await worker.end(at_once=cause not in ("max_jobs", "retired"))
            if problem is not None:
                self._count_failed_load(problem)
                await asyncio.sleep(self._pause_s())
            elif cause is not None and cause != "retired":
                self._counters.workers_replaced[cause] += 1
                self._monitor.worker_replaced(self._spec.name, cause)
                _log.warning("worker %s is replaced: %s%s", self.status.name, cause, how)

    async def _load(self, worker: WorkerProcess) -> ModelCannotLoad | WorkerDied | None:
        """Wait until the model is loaded; returns why it is not, if so."""
        try:
            async with asyncio.timeout(self._config.load_timeout_seconds) as deadline:
                ready = await worker.loaded(lambda why: self.status.waits(why, deadline))
        except TimeoutError:
            limit = f"{self._config.load_timeout_seconds:g} s (inference.load_timeout_seconds)"
            return self._not_loaded(ModelCannotLoad(f"it took over {limit}"))
        except (ModelCannotLoad, WorkerDied) as problem:
            return self._not_loaded(problem)
        self.status.loaded(ready.node)
        self._on_loaded(ready)
        source = f": {self._spec.type} of {ready.source}" if ready.source else ""
        process = f"process {worker.place[0]}" + (f" on node {ready.node}" if ready.node else "")
        _log.info("worker %s (%s) is loaded and warm%s", self.status.name, process, source)
        return None

    def _not_loaded(self, problem: ModelCannotLoad | WorkerDied) -> ModelCannotLoad | WorkerDied:
        """Take note of why there is no model; returns that.

        The process of a remote worker has none, so its end says nothing about the model.
        """
        if self._program.remote:
            how = str(problem)
            if isinstance(problem, WorkerDied):
                how = f"its process on this machine has ended: {problem}; {self._program.advice}"
            self.status.ended(how)
        return problem

    def _pause_s(self) -> float:
        """Seconds until the next process after one that did not load the model.

        A remote worker has waited itself when it has said why.
        """
        has_waited = self._program.remote and self.status.has_said_why
        most_s = RETRY_S if self._needed or has_waited else SPARE_RETRY_S
        return min(most_s, self.status.failed_loads * most_s / 10)

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
            _log.error("worker %s could not load its model: %s", self.status.name, problem)

    async def _serve(self, worker: WorkerProcess, runner: JobRunner) -> _Cause:
        """Run jobs until the worker has to be replaced; returns why."""
        max_jobs = self._config.max_jobs_per_worker
        served = 0
        while not max_jobs or served < max_jobs:
            if self._retired.done():
                return "retired"
            done, cause = await self._serve_next(worker, runner)
            if cause is not None:
                return cause
            served += done
        return "max_jobs"

    async def _serve_next(
        self, worker: WorkerProcess, runner: JobRunner
    ) -> tuple[int, _Cause | None]:
        """Wait for jobs and run them; returns how many, and why the worker has to be replaced.

        Jobs lead to their stream and all its audio, so no variable may hold them while the worker
        waits for the next jobs.
        """
        jobs = await self._queue.next_batch(worker, worker.lost, self._retired)
        if not jobs:
            return 0, "died" if worker.lost.done() else "retired"
        return len(jobs), await runner.run(jobs)
