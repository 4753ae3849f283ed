"""The worker pool: jobs in, results out, whatever happens to the workers.

A `supervisor.py` for each worker keeps its process alive and runs jobs in it. Nothing is shared
between workers, so the death of one can neither block nor corrupt another. Jobs wait in `queue.py`.
A `Submission` (`submission.py`) stands for a job that has been submitted.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from streamer.config.cores import usable_cores
from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.crew import Crew, CrewPlan
from streamer.inference.drafts import SegmentDraft
from streamer.inference.job import Counters, InferenceJob, JobKind, SegmentAudio
from streamer.inference.queue import JobQueue
from streamer.inference.scheduler import Scheduler, WaitingJobs
from streamer.inference.submission import Submission
from streamer.inference.supervisor import Supervisor
from streamer.inference.worker_process import ModelCannotLoad
from streamer.inference.worker_program import LOCAL, Program
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec, language_names
from streamer.observe.monitor import Monitor, ShedReason

_log = logging.getLogger(__name__)

DRAFTS_OFF = "uses no drafts: on this machine, results would depend on them"


class WorkerPool:
    """Worker processes of one model. Its maker runs it: `run` in a task of its own.

    Args:
        spec: The model.
        config: Number of workers, deadlines, and jobs after which a worker is replaced.
        monitor: Receives what is measured.
        crew: Workers that come and go; None = there are none. With some, the pool may have no
            workers of its own, `config.workers` being a number then, and not a wish.

    Attributes:
        queue: Where jobs wait for workers; estimates how long that and a final take.
    """

    def __init__(
        self,
        spec: ModelSpec,
        config: InferenceConfig,
        monitor: Monitor | None = None,
        crew: CrewPlan | None = None,
    ) -> None:
        self.spec = spec
        self.counters = Counters()
        self._config = config
        self._monitor = monitor or Monitor()
        self._size = config.workers if crew else config.workers or usable_cores()
        self._loop = asyncio.get_running_loop()
        self._scheduler: Scheduler[InferenceJob] = Scheduler(self._size)
        self.queue = JobQueue(self._scheduler, self._size, self._monitor.clock)
        self._warm: asyncio.Future[ipc.Ready] = self._loop.create_future()
        self._closed = False
        self._supervisors = [self._hire(number) for number in range(self._size)]
        self._crew = None
        if crew is not None:
            self._crew = Crew(
                spec.name,
                crew,
                self._size,
                self._hire,
                self._load,
                self._staff_changed,
                self._tracked,
            )

    def _hire(
        self,
        number: int,
        program: Program = LOCAL,
        *,
        needed: bool = True,
        on_state: Callable[[], None] = lambda: None,
    ) -> Supervisor:
        return Supervisor(
            number,
            spec=self.spec,
            config=self._config,
            queue=self.queue,
            warm=self._warm,
            on_loaded=self._on_loaded,
            counters=self.counters,
            monitor=self._monitor,
            program=program,
            needed=needed,
            on_state=on_state,
        )

    async def run(self) -> None:
        """Keep the workers alive until cancelled; no process is left when this returns.

        Raises:
            ModelCannotLoad: The pool gave up; the message says why.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for supervisor in self._supervisors:
                    group.create_task(self._tracked(supervisor.run()))
                if self._crew is not None:
                    group.create_task(self._tracked(self._crew.run(group)))
        except* ModelCannotLoad as failures:
            raise failures.exceptions[0] from None
        finally:
            self._closed = True
            self.queue.close()

    @property
    def ready(self) -> bool:
        """Whether every worker has been warm once, and at least one is alive now."""
        return self._warm.done() and self.workers_alive > 0

    @property
    def waits_for_remote(self) -> bool:
        """Whether it is not ready, and remote workers have said why they have no model."""
        return not self.ready and self._crew is not None and bool(self._crew.waits_for)

    @property
    def sample_rate(self) -> int | None:
        """The model's rate in Hz; None until the workers are warm."""
        return self._warm.result().sample_rate if self._warm.done() else None

    @property
    def stateful(self) -> bool:
        """Whether a channel's segments must run one after another; False until warm."""
        return self._warm.done() and self._warm.result().stateful

    @property
    def max_seconds(self) -> float | None:
        """The longest audio that the model takes; None without a limit, and until warm."""
        return self._warm.result().max_seconds if self._warm.done() else None

    @property
    def returns_words(self) -> bool:
        """Whether the model can give words with their times; False until warm."""
        return self._warm.done() and self._warm.result().words

    @property
    def uses_key_terms(self) -> bool:
        """Whether the model makes use of key terms; False until warm."""
        return self._warm.done() and self._warm.result().key_terms

    @property
    def uses_drafts(self) -> bool:
        """Whether a segment's inference can begin with what was found before; False until warm."""
        return self._warm.done() and self._warm.result().drafts

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of ISO 639-1: the languages that the model writes; empty = not known.

        Those of a built-in model are known before it is warm.
        """
        if self._warm.done():
            return self._warm.result().languages
        return language_names(self.spec.type)[:1]

    @property
    def workers_alive(self) -> int:
        """Workers that are loaded now."""
        return self._own_alive + (self._crew.alive if self._crew else 0)

    @property
    def workers_wanted(self) -> int:
        """Workers that there should be now."""
        return self._size + (self._crew.wanted if self._crew else 0)

    @property
    def crew(self) -> Crew | None:
        """The workers that come and go; None = there are never any."""
        return self._crew

    @property
    def _own_alive(self) -> int:
        return sum(supervisor.alive for supervisor in self._supervisors)

    @property
    def waiting(self) -> WaitingJobs:
        """Numbers of jobs that no worker has begun."""
        return self._scheduler.waiting

    async def wait_ready(self) -> int:
        """Wait until the workers are warm; returns the model's sample rate in Hz."""
        return (await asyncio.shield(self._warm)).sample_rate

    def submit(
        self,
        audio: SegmentAudio,
        kind: JobKind,
        *,
        session: Hashable,
        channel: Hashable,
        state: bytes | None = None,
        request: SegmentRequest = ipc.DEFAULT_REQUEST,
        draft: SegmentDraft | None = None,
    ) -> Submission:
        """Queue a segment.

        An early final runs when a worker has no final to do, and is to be confirmed or withdrawn.
        An interim is superseded by the next interim of its channel when it still waits.

        Args:
            audio: At the model's sample rate; must not change until the result is there.
            kind: Whether the segment is whole.
            session: Takes turns with other sessions.
            channel: Whose segment it is.
            state: Of a stateful model, what the channel's last segment returned.
            request: What is requested of the segment.
            draft: Shared by the jobs of the segment; None = they share none.
        """
        job = InferenceJob(
            session=session,
            channel=channel,
            interim=kind == "interim",
            early=kind == "early",
            audio=audio,
            state=state,
            request=request,
            draft=draft,
            result=self._loop.create_future(),
            queued_s=self._monitor.clock(),
        )
        if self.sample_rate is not None:
            job.media_s = job.length / self.sample_rate
        if self._closed:
            job.fail_pool_closed()
        elif superseded := self.queue.add(job):
            self._shed(superseded, "superseded")
        return Submission(job, self.queue, self._shed)

    def _shed(self, job: InferenceJob, reason: ShedReason) -> None:
        self.counters.interims_shed += 1
        self._monitor.interim_shed(self.spec.name, reason)
        job.result.cancel()

    def _on_loaded(self, ready: ipc.Ready) -> None:
        """A worker is loaded. Once all are, the queue and `wait_ready` get its model's traits.

        A pool without workers of its own is warm with the first that comes.
        """
        own_alive = self._own_alive
        if not self._warm.done() and own_alive == self._size and self.workers_alive:
            self.queue.allow_batches(ready.max_batch_size, ready.max_batch_wait_ms / 1000)
            self._warm.set_result(ready)
            if self.spec.key_terms and not ready.key_terms:
                _log.warning(
                    "%s makes no use of key terms: 'keyterms' has no effect", self.spec.name
                )
            if ready.drafts_off:
                _log.warning("%s %s", self.spec.name, DRAFTS_OFF)

    def _tracked(self, task: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        return self._monitor.tracked("inference", task)

    def _load(self) -> tuple[float, int, int]:
        """For the crew: expected waiting in seconds, workers that run jobs, own ones alive."""
        return self.queue.expected_wait_s, self._scheduler.running, self._own_alive

    def _staff_changed(self) -> None:
        """A worker has come or gone."""
        assert self._crew is not None
        self.queue.set_workers(self._size + self._crew.alive)
