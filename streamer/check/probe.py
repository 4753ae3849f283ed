"""Runs a model in a worker process: its outputs, and how long they take."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from streamer.check.probe_batch import Together, run_together
from streamer.check.probe_sounds import Sound, sounds
from streamer.check.recordings import OwnRecording, chunks_of
from streamer.check.target import Target
from streamer.inference import ipc
from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import ModelCannotLoad, WorkerProcess
from streamer.inference.worker_program import new_slot
from streamer.model import SegmentRequest

MAX_RUNS = 30
"""Runs of one sound, at most."""

BUDGET_S = 1.5
"""Seconds. A sound is not run again when its runs took this long together."""

OTHER_DRAFT = bytes(range(256))
"""Given to a model that uses drafts, beside its own: it gets those of earlier versions, too."""

KEY_TERMS = ("Jean Valjean", "Kubernetes", "東京")
"""Given to a model that uses key terms."""


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
        draft: What the last run returned for the next inference.
        drafted: The output of a run with each draft, by a name for messages.
    """

    sound: str
    audio_s: float
    outputs: tuple[dict[str, Any], ...]
    seconds: tuple[float, ...]
    failure: str | None = None
    lost: bool = False
    draft: bytes = b""
    drafted: tuple[tuple[str, dict[str, Any]], ...] = ()


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
    chunks: list[SoundOutcome] = field(default_factory=list)
    """Those of one's own recordings; each ran once, in order."""
    too_long: list[str] = field(default_factory=list)
    """Recordings that are longer than a segment, and ran in chunks only."""
    together: Together | None = None
    memory_bytes: int = 0
    """Largest resident memory of a worker."""


async def probe(
    target: Target, announce: Callable[[str], object], recordings: Sequence[OwnRecording] = ()
) -> ProbeReport:
    """Load the model and run it on every sound; in a new worker after each that it died on.

    Args:
        target: The model.
        announce: Called with the name of each step as it begins.
        recordings: Each runs as one segment, if it is no longer than one, and in chunks.
    """
    report = ProbeReport(target)
    try:
        await _fill(report, announce, recordings)
        for recording in recordings:
            for sound in recording.sounds(report.ready.sample_rate if report.ready else 0):
                announce(f"{sound.name} in chunks")
                await _run_chunks(report, sound)
    except (ModelCannotLoad, WorkerDied) as problem:
        report.failure = str(problem)
    except TimeoutError:
        limit_s = target.config.inference.load_timeout_seconds
        report.failure = f"loading took over {limit_s:g} s (inference.load_timeout_seconds)"
    return report


async def _fill(
    report: ProbeReport, announce: Callable[[str], object], recordings: Sequence[OwnRecording]
) -> None:
    tried: tuple[Sound, ...] = ()
    made: tuple[Sound, ...] = ()
    while not tried or len(report.outcomes) < len(tried):
        announce(f"loading {report.target.spec.name}")
        started = time.perf_counter()
        async with _worker(report.target) as (worker, ready):
            if not tried:
                report.load_s = time.perf_counter() - started
                report.ready = ready
                longest_s = report.target.config.vad.max_segment_ms / 1000
                made = sounds(ready.sample_rate, longest_s)
                longest_s = min(longest_s, ready.max_seconds or longest_s)
                own = [sound for each in recordings for sound in each.sounds(ready.sample_rate)]
                longest = longest_s * ready.sample_rate
                report.too_long = [sound.name for sound in own if len(sound.samples) > longest]
                tried = (*made, *(sound for sound in own if len(sound.samples) <= longest))
            for sound in tried[len(report.outcomes) :]:
                announce(sound.name)
                outcome = await _run_repeatedly(worker, sound, report)
                report.outcomes.append(outcome)
                if outcome.lost:
                    break
            else:
                if ready.max_batch_size > 1 and not any(a.failure for a in report.outcomes):
                    announce("a batch")
                    report.together = await run_together(worker, made, ready.max_batch_size)


@contextlib.asynccontextmanager
async def _worker(target: Target) -> AsyncIterator[tuple[WorkerProcess, ipc.Ready]]:
    worker = await WorkerProcess.launch(target.spec, 0, new_slot())
    try:
        async with asyncio.timeout(target.config.inference.load_timeout_seconds):
            ready = await worker.loaded()
        yield worker, ready
    finally:
        await worker.end(at_once=True)


async def _run_chunks(report: ProbeReport, sound: Sound) -> None:
    """Run a recording as `/api/v1/simple` does, in a new worker, also after each that died."""
    assert report.ready is not None
    chunk_s = report.target.config.simple.chunk_seconds
    waiting = deque(chunks_of(sound, report.ready.sample_rate, chunk_s))
    state: bytes | None = None
    while waiting:
        async with _worker(report.target) as (worker, _):
            while waiting:
                outcome, state = await _run(worker, waiting.popleft(), report, state, max_runs=1)
                report.chunks.append(outcome)
                if outcome.lost:
                    break


async def _run_repeatedly(worker: WorkerProcess, sound: Sound, report: ProbeReport) -> SoundOutcome:
    """Run one sound up to `MAX_RUNS` times, each with the state that the last run returned.

    Then it runs once for each other request that clients can make, whose failure counts as well.
    """
    assert report.ready is not None
    outcome, _ = await _run(worker, sound, report, None, max_runs=MAX_RUNS)
    for name, request in _other_requests(report.ready, outcome.draft):
        if outcome.failure is None:
            other, _ = await _run(worker, sound, report, None, max_runs=1, request=request)
            failure = f"{name}: {other.failure}" if other.failure else None
            drafted = [(name, output) for output in other.outputs if request.draft]
            outcome = replace(
                outcome,
                failure=failure,
                lost=other.lost,
                drafted=(*outcome.drafted, *drafted),
            )
    return outcome


def _other_requests(ready: ipc.Ready, draft: bytes) -> Iterator[tuple[str, SegmentRequest]]:
    """What is requested in some streams, with its name for messages."""
    if ready.stateful:  # it gets no requests
        return
    if ready.drafts:
        if draft:
            yield "with its own draft", SegmentRequest(words=ready.words, draft=draft)
        yield "with another draft", SegmentRequest(words=ready.words, draft=OTHER_DRAFT)
    yield "as an interim", SegmentRequest(interim=True)
    if ready.key_terms:
        yield "with key terms", SegmentRequest(key_terms=KEY_TERMS)


async def _run(
    worker: WorkerProcess,
    sound: Sound,
    report: ProbeReport,
    state: bytes | None,
    *,
    max_runs: int,
    request: SegmentRequest | None = None,
) -> tuple[SoundOutcome, bytes | None]:
    """Run one sound, first with this state; returns the state of the channel after it, too.

    Without a `request`, the words are requested if the model has any.
    """
    assert report.ready is not None
    limit_s = report.target.config.inference.timeout_seconds
    outputs: list[dict[str, Any]] = []
    seconds: list[float] = []
    request = request or SegmentRequest(words=report.ready.words)
    failure, lost, draft = None, False, b""
    while len(outputs) < max_runs and sum(seconds) < BUDGET_S:
        try:
            async with asyncio.timeout(limit_s):
                answered = await worker.infer([[sound.samples]], [state], [request])
        except WorkerDied:
            failure, lost = f"its process died: {await worker.how_it_ended()}", True
            break
        except TimeoutError:
            failure, lost = f"it took over {limit_s:g} s (inference.timeout_seconds)", True
            break
        report.memory_bytes = max(report.memory_bytes, answered.peak_memory_bytes)
        (answer,) = answered.outcomes
        if isinstance(answer, ipc.Raised):
            where = f" ({answer.where})" if answer.where else ""
            failure = f"it raised {answer.reason}{where}"
            break
        if isinstance(answer, ipc.Abandoned):
            failure = "it raised Unwanted, though its result is wanted"
            break
        outputs.append(answer.output)
        seconds.append(answer.seconds)
        state, draft = answer.state, answer.draft
    audio_s = len(sound.samples) / report.ready.sample_rate
    outcome = SoundOutcome(
        sound.name, audio_s, tuple(outputs), tuple(seconds), failure, lost, draft
    )
    return outcome, None if failure else state
