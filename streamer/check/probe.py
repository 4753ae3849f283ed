"""Runs a model in a worker process: its outputs, and how long they take."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamer.check.probe_sounds import Floats, Sound, sounds
from streamer.check.target import Target
from streamer.inference import ipc
from streamer.inference.worker_process import ModelCannotLoad, WorkerDied, WorkerProcess, new_slot
from streamer.model import SegmentRequest

MAX_RUNS = 30
"""Runs of one sound, at most."""

BUDGET_S = 1.5
"""Seconds. A sound is not run again when its runs took this long together."""

BATCH_RUNS = 9
"""Runs of a batch, and of one segment alone, whose times are compared."""


@dataclass(frozen=True)
class SoundOutcome:
    """The outcome of one sound.

    Attributes:
        sound: Its name.
        audio_s: Its length in seconds.
        outputs: The output of each run that succeeded.
        seconds: How long each of these runs took.
        failure: Why the last run failed. None = all succeeded.
        lost: Whether the worker died or hung, and cannot be used any more.
    """

    sound: str
    audio_s: float
    outputs: tuple[dict[str, Any], ...]
    seconds: tuple[float, ...]
    failure: str | None = None
    lost: bool = False


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


@dataclass
class ProbeReport:
    """Everything that was measured of a model."""

    target: Target
    ready: ipc.Ready | None = None
    load_s: float = 0.0
    """Seconds until the model was ready."""
    failure: str | None = None
    """Why not all sounds and the batch were run. None = they were."""
    outcomes: list[SoundOutcome] = field(default_factory=list)
    together: Together | None = None
    memory_bytes: int = 0
    """Largest resident memory of a worker."""


async def probe(target: Target, announce: Callable[[str], object]) -> ProbeReport:
    """Load the model and run it on every sound; in a new worker after each that it died on.

    Args:
        target: The model.
        announce: Called with the name of each step as it begins.
    """
    report = ProbeReport(target)
    try:
        await _fill(report, announce)
    except (ModelCannotLoad, WorkerDied) as problem:
        report.failure = str(problem) or "its process died on a batch"
    except TimeoutError:
        limit_s = target.config.inference.load_timeout_seconds
        report.failure = f"loading took over {limit_s:g} s (inference.load_timeout_seconds)"
    return report


async def _fill(report: ProbeReport, announce: Callable[[str], object]) -> None:
    tried: tuple[Sound, ...] = ()
    while not tried or len(report.outcomes) < len(tried):
        announce(f"loading {report.target.spec.name}")
        started = time.perf_counter()
        async with _worker(report.target) as (worker, ready):
            if not tried:
                report.load_s = time.perf_counter() - started
                report.ready = ready
                longest_s = report.target.config.vad.max_segment_ms / 1000
                tried = sounds(ready.sample_rate, longest_s)
            for sound in tried[len(report.outcomes) :]:
                announce(sound.name)
                outcome = await _run_repeatedly(worker, sound, report)
                report.outcomes.append(outcome)
                if outcome.lost:
                    break
            else:
                if ready.max_batch_size > 1 and not any(a.failure for a in report.outcomes):
                    announce("a batch")
                    report.together = await _together(worker, tried, ready.max_batch_size)


@contextlib.asynccontextmanager
async def _worker(target: Target) -> AsyncIterator[tuple[WorkerProcess, ipc.Ready]]:
    worker = await WorkerProcess.launch(target.spec, 0, new_slot())
    try:
        async with asyncio.timeout(target.config.inference.load_timeout_seconds):
            ready = await worker.loaded()
        yield worker, ready
    finally:
        await worker.end(at_once=True)


async def _run_repeatedly(worker: WorkerProcess, sound: Sound, report: ProbeReport) -> SoundOutcome:
    """Run one sound up to `MAX_RUNS` times, each with the state that the last run returned."""
    assert report.ready is not None
    limit_s = report.target.config.inference.timeout_seconds
    outputs: list[dict[str, Any]] = []
    seconds: list[float] = []
    state: bytes | None = None
    request = SegmentRequest(words=report.ready.words)
    failure, lost = None, False
    while len(outputs) < MAX_RUNS and sum(seconds) < BUDGET_S:
        try:
            async with asyncio.timeout(limit_s):
                answered = await worker.infer([[sound.samples]], [state], [request])
        except WorkerDied:
            failure, lost = "its process died", True
            break
        except TimeoutError:
            failure, lost = f"it took over {limit_s:g} s (inference.timeout_seconds)", True
            break
        report.memory_bytes = max(report.memory_bytes, answered.peak_memory_bytes)
        (outcome,) = answered.outcomes
        if isinstance(outcome, ipc.Raised):
            where = f" ({outcome.where})" if outcome.where else ""
            failure = f"it raised {outcome.reason}{where}"
            break
        if isinstance(outcome, ipc.Abandoned):
            failure = "it raised Unwanted, though its result is wanted"
            break
        outputs.append(outcome.output)
        seconds.append(outcome.seconds)
        state = outcome.state
    audio_s = len(sound.samples) / report.ready.sample_rate
    return SoundOutcome(sound.name, audio_s, tuple(outputs), tuple(seconds), failure, lost)


async def _together(worker: WorkerProcess, tried: Sequence[Sound], size: int) -> Together:
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
    return await worker.infer(
        [[segment] for segment in segments], [None] * count, [ipc.NO_WISHES] * count
    )


def _done(answered: ipc.BatchOutcome) -> list[ipc.Done]:
    return [outcome for outcome in answered.outcomes if isinstance(outcome, ipc.Done)]


def _median_s(runs: list[ipc.BatchOutcome]) -> float:
    """Median time of a segment, measured on the first one of each run."""
    return statistics.median(_done(run)[0].seconds for run in runs)
