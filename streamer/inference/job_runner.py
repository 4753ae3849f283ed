"""Runs the jobs of one worker process: batch by batch, each with its result or its failure."""

import asyncio
import logging
from collections.abc import Sequence

from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import (
    InferenceFailed,
    InferenceJob,
    InferenceTimedOut,
    PendingInference,
    WorkerLost,
)
from streamer.inference.queue import JobBatch, JobQueue
from streamer.inference.work_counter import WorkCounter
from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import WorkerProcess
from streamer.observe.monitor import AttemptOutcome, Monitor, RestartCause
from streamer.observe.timeline import Attempt

_log = logging.getLogger(__name__)

MAX_LOST = 5
"""Times that a job runs again because the machine of a remote worker was lost with it."""


class JobRunner:
    """Of one process; the next process of the same worker has another one.

    Args:
        worker: The process.
        config: The deadline of a batch.
        queue: Where the jobs come from; some go back to it.
        counter: Of the worker.
        monitor: Its clock is used.

    Attributes:
        lost: How the machine of a remote worker was lost; empty = it was not, or it is not known.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        config: InferenceConfig,
        queue: JobQueue,
        counter: WorkCounter,
        monitor: Monitor,
    ) -> None:
        self._worker = worker
        self._timeout_s = config.timeout_seconds
        self._queue = queue
        self._counter = counter
        self._monitor = monitor
        self.lost = ""

    @property
    def over_limit(self) -> str:
        """What a segment did that took too long, as messages have it."""
        return f"took longer than {self._timeout_s:g} s (inference.timeout_seconds)"

    async def run(self, jobs: JobBatch) -> RestartCause | None:
        """Run jobs and settle their results; returns why the worker has to be replaced, if so."""
        worker = self._worker
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
            answers = await self._infer(jobs)
        except TimeoutError:
            self._counter.broke_off(worker.place, jobs, begun_s, "timeout")
            for job in self._hung(jobs):
                job.fail(InferenceTimedOut(f"inference {self.over_limit}"))
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
                self.lost = error.detail
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
        self._answered(jobs, answers)
        return None

    async def _infer(self, jobs: JobBatch) -> ipc.BatchOutcome:
        """Run jobs in the worker.

        Raises:
            TimeoutError: It took too long.
            WorkerDied: The process ended before it answered; the message says how.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._worker.infer(
                    [job.audio for job in jobs],
                    [job.state for job in jobs],
                    [job.drafted_request for job in jobs],
                )
        except WorkerDied as error:
            how = str(error) or await self._worker.how_it_ended()
            raise WorkerDied(how, by_model=error.by_model, detail=error.detail) from None

    def _hung(self, jobs: JobBatch) -> Sequence[InferenceJob]:
        """The jobs that are given up. Jobs of a batch run again, each alone: one of them hung."""
        if len(jobs) > 1:
            return self._queue.died(self._worker)
        self._queue.finished(self._worker)
        return jobs

    def _answered(self, jobs: JobBatch, answers: ipc.BatchOutcome) -> None:
        """Settle the jobs, then count: nothing that counts can keep a result back."""
        worker = self._worker
        self._queue.finished(worker)
        for job, outcome in zip(jobs, answers.outcomes, strict=True):
            if not isinstance(outcome, ipc.Abandoned):
                done: AttemptOutcome = "ok" if isinstance(outcome, ipc.Done) else "raised"
                moments = (answers.begun_s, answers.ended_s)
                attempt = Attempt(self._counter.worker, *worker.place, *moments, done)
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
