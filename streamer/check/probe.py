"""A worker process, what it answers, and how long it takes."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamer.check.sounds import Floats, Sound, sounds
from streamer.check.target import Target
from streamer.inference import ipc
from streamer.inference.process import ModelCannotLoad, WorkerDied, WorkerProcess, new_slot

MAX_RUNS = 30
BATCH_RUNS = 9
BUDGET_S = 1.5
"""Each sound is repeated until it took so long altogether, or so often."""


@dataclass(frozen=True)
class Answers:
    """What came of one sound.

    Attributes:
        sound: Its name.
        audio_s: Its length.
        outputs: Of each run that the model answered.
        seconds: What each of these took.
        failure: Why there are no more, if there should be.
        lost: Whether its worker can be asked no more.
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
        alone_s: What a segment took alone, the median.
        together_s: What a segment took in the batch, the median.
        split: Why the worker ran the batch's segments alone after all, if it did.
    """

    size: int
    alone: tuple[dict[str, Any], ...]
    together: tuple[dict[str, Any], ...]
    alone_s: float
    together_s: float
    split: str | None = None


@dataclass
class Report:
    """All that was found out about a model."""

    target: Target
    ready: ipc.Ready | None = None
    load_s: float = 0.0
    failure: str | None = None
    """Why the model could not be run to the end."""
    answers: list[Answers] = field(default_factory=list)
    together: Together | None = None
    memory_bytes: int = 0
    """The most that a worker has held."""


async def probe(target: Target, say: Callable[[str], object]) -> Report:
    """Load the model and let it hear every sound, in a new worker after each that it died on.

    Args:
        target: The model.
        say: Hears what is being done.
    """
    report = Report(target)
    try:
        await _fill(report, say)
    except (ModelCannotLoad, WorkerDied) as problem:
        report.failure = str(problem) or "its process died on a batch"
    except TimeoutError:
        limit_s = target.config.inference.load_timeout_seconds
        report.failure = f"loading took over {limit_s:g} s (inference.load_timeout_seconds)"
    return report


async def _fill(report: Report, say: Callable[[str], object]) -> None:
    heard: tuple[Sound, ...] = ()
    while not heard or len(report.answers) < len(heard):
        say(f"loading {report.target.spec.name}")
        started = time.perf_counter()
        async with _worker(report.target) as (worker, ready):
            if not heard:
                report.load_s = time.perf_counter() - started
                report.ready = ready
                longest_s = report.target.config.vad.max_segment_ms / 1000
                heard = sounds(ready.sample_rate, longest_s)
            for sound in heard[len(report.answers) :]:
                say(sound.name)
                answers = await _hear(worker, sound, report)
                report.answers.append(answers)
                if answers.lost:
                    break
            else:
                if ready.max_batch_size > 1 and not any(a.failure for a in report.answers):
                    say("a batch")
                    report.together = await _together(worker, heard, ready.max_batch_size)


@contextlib.asynccontextmanager
async def _worker(target: Target) -> AsyncIterator[tuple[WorkerProcess, ipc.Ready]]:
    worker = await WorkerProcess.launch(target.spec, 0, new_slot())
    try:
        async with asyncio.timeout(target.config.inference.load_timeout_seconds):
            ready = await worker.loaded()
        yield worker, ready
    finally:
        await worker.end(at_once=True)


async def _hear(worker: WorkerProcess, sound: Sound, report: Report) -> Answers:
    """Run one sound over and over."""
    assert report.ready is not None
    limit_s = report.target.config.inference.timeout_seconds
    outputs: list[dict[str, Any]] = []
    seconds: list[float] = []
    state: bytes | None = None
    failure, lost = None, False
    while len(outputs) < MAX_RUNS and sum(seconds) < BUDGET_S:
        try:
            async with asyncio.timeout(limit_s):
                answered = await worker.infer([[sound.samples]], [state])
        except WorkerDied:
            failure, lost = "its process died", True
            break
        except TimeoutError:
            failure, lost = f"it took over {limit_s:g} s (inference.timeout_seconds)", True
            break
        report.memory_bytes = max(report.memory_bytes, answered.peak_memory_bytes)
        (outcome,) = answered.outcomes
        if isinstance(outcome, ipc.Raised):
            failure = f"it raised {outcome.reason} ({outcome.where})"
            break
        if isinstance(outcome, ipc.Abandoned):
            failure = "it raised Unwanted, though its result is wanted"
            break
        outputs.append(outcome.output)
        seconds.append(outcome.seconds)
        state = outcome.state
    audio_s = len(sound.samples) / report.ready.sample_rate
    return Answers(sound.name, audio_s, tuple(outputs), tuple(seconds), failure, lost)


async def _together(worker: WorkerProcess, heard: Sequence[Sound], size: int) -> Together:
    """Compare outputs on sounds of every length, and times on equal ones."""
    mixed = [heard[index % len(heard)].samples for index in range(min(size, 2 * len(heard)))]
    equal = [heard[1].samples] * size
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


async def _infer(worker: WorkerProcess, segments: list[Floats]) -> ipc.Answers:
    return await worker.infer([[segment] for segment in segments], [None] * len(segments))


def _done(answered: ipc.Answers) -> list[ipc.Done]:
    return [outcome for outcome in answered.outcomes if isinstance(outcome, ipc.Done)]


def _median_s(runs: list[ipc.Answers]) -> float:
    """What a segment took, as the first of each run did."""
    return statistics.median(_done(run)[0].seconds for run in runs)
