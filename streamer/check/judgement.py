"""Judges a model's answers: problems, and notes, which may be intended. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from streamer.check.probe import ProbeReport, SoundOutcome
from streamer.check.probe_batch import Together
from streamer.inference.timed_words import disorder, read_words
from streamer.protocol.events import Segment, encode_event

SLOW = 0.5
"""Real-time factor from which a worker has little time left for interims and other clients."""

TOLERANCE = 1e-3
"""Largest difference between numbers that count as equal, absolute or relative."""


def problems(report: ProbeReport) -> Iterator[str]:
    """What prevents the model from serving; one sentence each."""
    if report.failure:
        yield report.failure
    failures = [(a.sound, a.failure) for a in report.outcomes if a.failure]
    yield from _by_sound(failures, len(report.outcomes))
    of_chunks = [(a.sound, a.failure) for a in report.chunks if a.failure]
    yield from _by_sound(of_chunks, len(report.outcomes))
    hidden = {name for outcome in report.outcomes for name in _hidden(outcome)}
    for name in sorted(hidden):
        yield f"clients never see the field {name!r}: every event has one of its own"
    if report.ready and report.ready.words:
        for outcome in report.outcomes:
            yield from (f"{outcome.sound}: {problem}" for problem in _disorder(outcome))
    for outcome in report.outcomes:
        yield from _changed_by_drafts(outcome)
    for outcome in report.outcomes:
        if outcome.seconds and real_time_factor(outcome) >= 1:
            yield (
                f"{outcome.sound}: {outcome.audio_s:g} s of audio took "
                f"{percentile(outcome, 50):.2f} s; one worker cannot keep up with one channel"
            )
    if report.together:
        yield from _problems_of_batch(report.together)


def notes(report: ProbeReport) -> Iterator[str]:
    """What may be intended, and often is not; one sentence each."""
    for sound in report.too_long:
        yield f"{sound}: longer than a segment (vad.max_segment_ms), so it ran in chunks only"
    nulls = [(a.sound, list(_nulls(a.outputs[0]))) for a in report.outcomes if a.outputs]
    null_notes = [
        (sound, f"null in {', '.join(names)}; NaN and infinity arrive as null")
        for sound, names in nulls
        if names
    ]
    yield from _by_sound(null_notes, len(report.outcomes))
    empty = [a.sound for a in report.outcomes if a.outputs and not a.outputs[0]]
    emptiness = "the output is empty, so the segment has only its times"
    yield from _by_sound([(sound, emptiness) for sound in empty], len(report.outcomes))
    if report.ready and report.ready.words:
        yield from _notes_on_words(report.outcomes)
    if report.ready and report.ready.drafts and not any(a.draft for a in report.outcomes):
        yield "uses_drafts is true, and no output has a draft"
    if report.ready and report.ready.drafts_off:
        yield "it uses no drafts: on this machine, results would depend on them"
    if report.ready and not report.ready.stateful:
        differing = [a.sound for a in report.outcomes if any(o != a.outputs[0] for o in a.outputs)]
        if differing:
            yield f"the same audio gives different outputs ({'; '.join(differing)})"
    slow = [a for a in report.outcomes if a.seconds and SLOW <= real_time_factor(a) < 1]
    if slow:
        yield f"slow for live use, with interims above all: {', '.join(a.sound for a in slow)}"
    together = report.together
    if together and not together.split and together.together_s > together.alone_s:
        yield (
            f"batching does not pay here: a second of audio takes {together.alone_s * 1e3:.2f} ms "
            f"alone and {together.together_s * 1e3:.2f} ms in a batch of {together.size}"
        )


def _by_sound(remarks: Iterable[tuple[str, str]], count: int) -> Iterator[str]:
    """Each remark once, after the sounds that it is about.

    Args:
        remarks: Sounds, and what is remarked about each.
        count: Number of sounds in all.
    """
    sounds: dict[str, list[str]] = {}
    for sound, remark in remarks:
        sounds.setdefault(remark, []).append(sound)
    for remark, names in sounds.items():
        subject = "every sound" if 1 < count == len(names) else "; ".join(names)
        yield f"{subject}: {remark}"


def percentile(outcome: SoundOutcome, percent: float) -> float:
    """Percentile of run time in seconds (nearest rank)."""
    ordered = sorted(outcome.seconds)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def real_time_factor(outcome: SoundOutcome) -> float:
    """Median seconds of work for a second of audio."""
    return percentile(outcome, 50) / outcome.audio_s


def _hidden(outcome: SoundOutcome) -> Iterator[str]:
    """Fields of the output that the event's own fields replace."""
    for output in outcome.outputs[:1]:
        event = Segment(start_time=0.0, end_time=0.0, channel=0, output=output)
        sent = msgspec.json.decode(encode_event(event))
        yield from (name for name, value in output.items() if sent.get(name, ...) != value)


def _disorder(outcome: SoundOutcome) -> Iterator[str]:
    """What is wrong with the times of the words of the first run; clients get them in order."""
    for output in outcome.outputs[:1]:
        yield from disorder(read_words(output), outcome.audio_s)


def _changed_by_drafts(outcome: SoundOutcome) -> Iterator[str]:
    """Drafts with which the output is another one; if it is never the same, none is to blame."""
    if not outcome.outputs or any(output != outcome.outputs[0] for output in outcome.outputs):
        return
    for name, output in outcome.drafted:
        if not _alike(output, outcome.outputs[0]):
            yield f"{outcome.sound}: the output {name} is another one; a draft may only save time"


def _notes_on_words(outcomes: Iterable[SoundOutcome]) -> Iterator[str]:
    outputs = [(outcome.sound, output) for outcome in outcomes for output in outcome.outputs[:1]]
    if not any(read_words(output) for _, output in outputs):
        yield "returns_words is true, and no output has words"
    for sound, output in outputs:
        joined = " ".join(word.text for word in read_words(output))
        if joined and joined != output.get("text"):
            yield f"{sound}: the words, joined by spaces, are not the 'text'"


def _nulls(output: Mapping[str, Any]) -> Iterator[str]:
    for name, value in output.items():
        if value is None or (isinstance(value, list) and None in value):
            yield repr(name)


def _problems_of_batch(together: Together) -> Iterator[str]:
    if together.split:
        yield f"infer_batch fails, so that each segment of a batch runs alone: {together.split}"
    elif len(together.together) != len(together.alone):
        yield f"infer_batch failed on {len(together.alone) - len(together.together)} segments"
    elif not all(map(_alike, together.alone, together.together)):
        yield "infer_batch gives other outputs than each segment alone: do its results mix?"


def _alike(one: object, other: object) -> bool:
    """Whether two outputs are equal but for rounding."""
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case (int() | float(), int() | float()):
            return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        case dict(), dict():
            return one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
        case list(), list():
            return len(one) == len(other) and all(map(_alike, one, other))
    return one == other
