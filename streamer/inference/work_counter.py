"""Counts what one worker has done, for the pool, its queue and the monitor."""

import logging

from streamer.inference import ipc
from streamer.inference.job import Counters
from streamer.inference.queue import JobBatch, JobQueue
from streamer.observe.monitor import AttemptOutcome, Monitor
from streamer.observe.timeline import Attempt

_log = logging.getLogger(__name__)

Place = tuple[int, str]
"""The id of the process that runs the model, and its machine; empty = this one."""


class WorkCounter:
    """Of one worker, through all its processes.

    Args:
        model: The name of the model.
        number: Which of the pool's workers it is.
        queue: Learns from it how long finals take.
        counters: Of the pool.
        monitor: Receives what is measured.
    """

    def __init__(
        self, model: str, number: int, queue: JobQueue, counters: Counters, monitor: Monitor
    ) -> None:
        self._model = model
        self._number = number
        self._queue = queue
        self._counters = counters
        self._monitor = monitor
        self._split_logged = False
        self.worker = f"{model}-{number}"
        """The name of the worker, in the log and in traces."""

    def answered(self, place: Place, jobs: JobBatch, answers: ipc.BatchOutcome) -> None:
        """Count a batch that a worker has answered, once its jobs are settled."""
        monitor, counters = self._monitor, self._counters
        _, node = place
        monitor.batch(self._model, len(jobs))
        monitor.worker_busy(self._model, answers.ended_s - answers.begun_s)
        monitor.worker_used(self._model, self._number, answers.cpu_s, answers.peak_memory_bytes)
        if answers.split and not self._split_logged:
            self._split_logged = True
            _log.warning("a batch failed, so its segments were run alone: %s", answers.split)
        spent_s = (answers.ended_s - answers.begun_s) / len(jobs)
        for job, outcome in zip(jobs, answers.outcomes, strict=True):
            if job.early and job.result.cancelled():
                counters.early_wasted_seconds += spent_s
            if isinstance(outcome, ipc.Abandoned):  # its duration is no measure for others
                counters.abandoned_seconds += spent_s
                continue
            if node:
                outcome_name: AttemptOutcome = "ok" if isinstance(outcome, ipc.Done) else "raised"
                monitor.attempted(self._model, node, outcome_name)
            inferred = not (isinstance(outcome, ipc.Done) and outcome.dropped)
            counters.inference_seconds += outcome.seconds
            if job.interim:
                counters.interims += 1
                counters.interim_seconds += outcome.seconds
            else:
                counters.finals += 1
                if inferred:  # what was dropped is no measure of it
                    # With the way to another machine: early finals have to begin earlier by it.
                    duration_s = spent_s if node else outcome.seconds
                    self._queue.record_duration(duration_s, job.media_s)
            monitor.inferred(
                self._model,
                interim=job.interim,
                queue_s=answers.begun_s - job.queued_s,
                inference_s=outcome.seconds,
                media_s=job.media_s,
            )

    def broke_off(
        self, place: Place, jobs: JobBatch, begun_s: float, outcome: AttemptOutcome
    ) -> None:
        """Count a batch that a worker has not answered: each job gets the attempt."""
        pid, node = place
        ended_s = self._monitor.clock()
        self._monitor.worker_busy(self._model, ended_s - begun_s)
        for job in jobs:
            job.attempts.append(Attempt(self.worker, pid, node, begun_s, ended_s, outcome))
            if node:
                self._monitor.attempted(self._model, node, outcome)
