"""The worker pool: jobs in, results out, whatever happens to the workers.

A `supervisor.py` for each worker keeps its process alive and runs jobs in it. Nothing is shared
between workers, so the death of one can neither block nor spoil another. Jobs wait in `queue.py`.
"""

import asyncio
import os
from collections.abc import Hashable

from streamer.config.schema import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import Audio, Counters, Inference
from streamer.inference.process import ModelCannotLoad
from streamer.inference.queue import JobQueue
from streamer.inference.result import Result
from streamer.inference.supervisor import Supervisor
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor, ShedReason


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
        self._size = config.workers or os.cpu_count() or 1
        self._loop = asyncio.get_running_loop()
        self._queue = JobQueue(self._size)
        self._early: dict[Result, Inference] = {}
        """Of which it is not known whether they are final."""
        self._warm: asyncio.Future[ipc.Ready] = self._loop.create_future()
        self._closed = False
        self._supervisors = [
            Supervisor(
                number,
                spec=spec,
                config=config,
                queue=self._queue,
                warm=self._warm,
                on_loaded=self._note,
                counters=self.counters,
                monitor=self._monitor,
            )
            for number in range(self._size)
        ]

    async def run(self) -> None:
        """Keep the workers alive until cancelled; none is left behind when this returns.

        Raises:
            ModelCannotLoad: The pool gave up; the message says why.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for supervisor in self._supervisors:
                    group.create_task(self._monitor.tracked("inference", supervisor.run()))
        except* ModelCannotLoad as failures:
            raise failures.exceptions[0] from None
        finally:
            self._closed = True
            self._queue.close()

    @property
    def ready(self) -> bool:
        """Whether every worker has been warm once, and one is alive now."""
        return self._warm.done() and self.workers_alive > 0

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
        return self._queue.seconds

    @property
    def max_seconds(self) -> float | None:
        """The longest audio that the model takes, if that is bounded; known once warm."""
        return self._warm.result().max_seconds if self._warm.done() else None

    @property
    def workers_alive(self) -> int:
        """Workers that are loaded now."""
        return sum(supervisor.alive for supervisor in self._supervisors)

    @property
    def workers_wanted(self) -> int:
        """Workers there are meant to be."""
        return self._size

    @property
    def finals_waiting(self) -> int:
        """Segments that no worker has begun."""
        return self._queue.finals_waiting

    @property
    def interims_waiting(self) -> int:
        """Growing segments that no worker has begun."""
        return self._queue.interims_waiting

    async def wait_ready(self) -> int:
        """Wait until the workers are warm; returns the model's sample rate in Hz."""
        return (await asyncio.shield(self._warm)).sample_rate

    def infer(
        self, audio: Audio, *, session: Hashable, channel: Hashable, state: bytes | None = None
    ) -> Result:
        """Queue a segment; the future raises an `InferenceError` when it gets no result.

        Args:
            audio: At the model's sample rate; must not change until the result.
            session: Takes turns with others.
            channel: Whose segment it is.
            state: Of a stateful model, what the channel's last segment returned.
        """
        return self._add(audio, session, channel, state=state)

    def infer_early(self, audio: Audio, *, session: Hashable, channel: Hashable) -> Result:
        """Infer a segment that may turn out to go on, when a worker has no final to do.

        Whoever asks says what became of it: `confirm` or `withdraw`.
        """
        return self._add(audio, session, channel, early=True)

    def confirm(self, result: Result) -> bool:
        """The segment of an early result is final; returns whether it has been begun."""
        job = self._early.pop(result, None)
        waited = job is not None and self._queue.confirm(job)
        return not waited

    def withdraw(self, result: Result) -> bool:
        """An early result is not wanted; returns whether it has been begun, in vain."""
        job = self._early.pop(result, None)
        waited = job is not None and self._queue.withdraw(job)
        if not result.cancel() and not result.cancelled():
            result.exception()  # asyncio complains of a failure that nobody looks at
        return not waited

    def lead_seconds(self, media_s: float) -> float:
        """How long before it is needed a result for so much audio should be asked for."""
        return self._queue.lead_seconds(media_s)

    def infer_interim(
        self, audio: Audio, *, session: Hashable, channel: Hashable, state: bytes | None = None
    ) -> Result:
        """Queue a growing segment; the future is cancelled when it is superseded."""
        return self._add(audio, session, channel, interim=True, state=state)

    def drop_interim(self, channel: Hashable) -> bool:
        """Cancel the waiting interim of a channel; returns whether there was one."""
        return self._shed(self._queue.drop_interim(channel), "dropped")

    def _add(
        self,
        audio: Audio,
        session: Hashable,
        channel: Hashable,
        *,
        interim: bool = False,
        early: bool = False,
        state: bytes | None = None,
    ) -> Result:
        job = Inference(
            session=session,
            channel=channel,
            interim=interim,
            early=early,
            audio=audio,
            state=state,
            result=self._loop.create_future(),
            added_s=self._monitor.clock(),
        )
        if self._closed:
            job.close()
            return job.result
        if early:
            self._early[job.result] = job
        self._shed(self._queue.add(job), "superseded")
        return job.result

    def _shed(self, job: Inference | None, reason: ShedReason) -> bool:
        if job is None:
            return False
        self.counters.interims_shed += 1
        self._monitor.interim_shed(self.spec.name, reason)
        job.result.cancel()
        return True

    def _note(self, ready: ipc.Ready) -> None:
        """A worker is loaded; once all of them are, it is known how the model is to be used."""
        if not self._warm.done() and self.workers_alive == self._size:
            self._queue.batch(ready.max_batch_size, ready.max_batch_wait_ms / 1000)
            self._warm.set_result(ready)
