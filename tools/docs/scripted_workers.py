"""Worker processes that follow a script, in simulated time: for the pictures of the book.

Pool, supervisors, queue and scheduler are the server's own; only the processes are replaced.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from streamer.config.models import InferenceConfig
from streamer.inference import ipc
from streamer.inference.job import SegmentAudio
from streamer.inference.pool import WorkerPool
from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import WorkerProcess
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor
from streamer.onnx.graph import Floats

RATE = 16_000
"""Hz. Of the audio that the workers get."""


class PlannedBatch(NamedTuple):
    """What a worker does with a batch.

    Attributes:
        seconds: Until it has answered, or died.
        outputs: The model's fields for each segment. None = it dies.
    """

    seconds: float
    outputs: Sequence[dict[str, Any]] | None


Plan = Callable[[Sequence[Floats]], PlannedBatch]
"""Called with the samples of each segment of a batch."""


class WorkerSpan(NamedTuple):
    """What a worker did from one moment to another, in seconds on the clock of the loop.

    Attributes:
        worker: Its number, from 0.
        begun_s: From.
        ended_s: To.
        firsts: The first sample of each segment; empty while it loaded its model.
        died: Whether the process died of it.
    """

    worker: int
    begun_s: float
    ended_s: float
    firsts: tuple[float, ...] = ()
    died: bool = False


@dataclass
class ScriptedWorkers:
    """Starts workers, and keeps what they did.

    Args:
        plan: What they do with their batches.
        load_s: Seconds that a process takes to load its model.
        max_batch_size: Segments of a batch, at most.
        max_batch_wait_ms: Milliseconds for which segments wait for each other.
    """

    plan: Plan
    load_s: float
    max_batch_size: int = 1
    max_batch_wait_ms: float = 0.0
    spans: list[WorkerSpan] = field(default_factory=list)

    async def launch(self, _spec: ModelSpec, number: int, *_of: object) -> "ScriptedWorker":
        """Start a process; called by a supervisor."""
        return ScriptedWorker(number, self)

    @asynccontextmanager
    async def pool(self, workers: int, monitor: Monitor) -> AsyncIterator[WorkerPool]:
        """A pool of this number of workers, which are loaded; the monitor has the loop's clock."""
        config = InferenceConfig(workers=workers)
        with patch.object(WorkerProcess, "launch", self.launch):
            made = WorkerPool(ModelSpec("scripted", "scripted"), config, monitor)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(made.run())
                await made.wait_ready()
                yield made
                running.cancel()


class ScriptedWorker:
    """What a supervisor uses of a worker process.

    Args:
        number: Which of the pool's workers it is, from 0.
        workers: Has the script, and keeps what is done.
    """

    def __init__(self, number: int, workers: ScriptedWorkers) -> None:
        self._loop = asyncio.get_running_loop()
        self._number = number
        self._workers = workers
        self.place = (number, "")
        self.lost: asyncio.Future[None] = self._loop.create_future()

    @property
    def gone(self) -> bool:
        """Whether it takes nothing any more."""
        return self.lost.done()

    async def loaded(self, _on_wait: object) -> ipc.Ready:
        """Load the model."""
        begun_s = self._loop.time()
        await asyncio.sleep(self._workers.load_s)
        self._keep(begun_s)
        workers = self._workers
        return ipc.Ready(RATE, workers.max_batch_size, workers.max_batch_wait_ms, stateful=False)

    async def infer(self, segments: Sequence[SegmentAudio], *_of: object) -> ipc.BatchOutcome:
        """Run a batch as planned.

        Raises:
            WorkerDied: As planned.
        """
        samples = [np.concatenate(list(audio)) for audio in segments]
        planned = self._workers.plan(samples)
        begun_s = self._loop.time()
        await asyncio.sleep(planned.seconds)
        firsts = tuple(float(each[0]) for each in samples)
        self._keep(begun_s, firsts, died=planned.outputs is None)
        if planned.outputs is None:
            self.lost.set_result(None)
            raise WorkerDied("a signal")
        outcomes: list[ipc.ItemOutcome] = [
            ipc.Done(output, planned.seconds) for output in planned.outputs
        ]
        return ipc.BatchOutcome(outcomes, begun_s, self._loop.time(), planned.seconds, 0)

    def abandon(self) -> None:
        """It does not stop half-way."""

    async def how_it_ended(self) -> str:
        """A phrase for the log."""
        return "a signal"

    async def end(self, *, at_once: bool) -> None:
        """It is gone at once."""

    def _keep(self, begun_s: float, firsts: tuple[float, ...] = (), *, died: bool = False) -> None:
        span = WorkerSpan(self._number, begun_s, self._loop.time(), firsts, died)
        self._workers.spans.append(span)
