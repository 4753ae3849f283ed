"""Runs a batch of segments in a worker process, and each of them alone."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streamer.check.probe_sounds import Floats, Sound
from streamer.inference import ipc
from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import WorkerProcess

BATCH_RUNS = 9
"""Runs of a batch, and of one segment alone, whose times are compared."""


@dataclass(frozen=True)
class Together:
    """Several segments in one batch, against each of them alone.

    Attributes:
        size: Segments in the batch.
        alone: The outputs of each alone.
        together: The outputs of the batch, in the same order.
        alone_s: Median time of a segment alone, in seconds.
        together_s: Median time of a segment in the batch, in seconds.
        split: Why the worker ran the batch's segments alone after all. None = it did not.
    """

    size: int
    alone: tuple[dict[str, Any], ...]
    together: tuple[dict[str, Any], ...]
    alone_s: float
    together_s: float
    split: str | None = None


async def run_together(worker: WorkerProcess, tried: Sequence[Sound], size: int) -> Together:
    """Compare outputs on sounds of different lengths, and times on sounds of equal length."""
    mixed = [tried[index % len(tried)].samples for index in range(min(size, 2 * len(tried)))]
    equal = [tried[1].samples] * size
    alone = [_done(await _infer(worker, [segment]))[0].output for segment in mixed]
    together = await _infer(worker, mixed)
    alone_runs = [await _infer(worker, equal[:1]) for _ in range(BATCH_RUNS)]
    together_runs = [await _infer(worker, equal) for _ in range(BATCH_RUNS)]
    return Together(
        size,
        tuple(alone),
        tuple(done.output for done in _done(together)),
        _median_s(alone_runs),
        _median_s(together_runs),
        next((batch.split for batch in [together, *together_runs] if batch.split), None),
    )


async def _infer(worker: WorkerProcess, segments: list[Floats]) -> ipc.BatchOutcome:
    count = len(segments)
    try:
        return await worker.infer(
            [[segment] for segment in segments], [None] * count, [ipc.DEFAULT_REQUEST] * count
        )
    except WorkerDied:
        how = await worker.how_it_ended()
        raise WorkerDied(f"its process died on a batch: {how}") from None


def _done(answered: ipc.BatchOutcome) -> list[ipc.Done]:
    return [outcome for outcome in answered.outcomes if isinstance(outcome, ipc.Done)]


def _median_s(runs: list[ipc.BatchOutcome]) -> float:
    """Median time of a segment, measured on the first one of each run."""
    return statistics.median(_done(run)[0].seconds for run in runs)
