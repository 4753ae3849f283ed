"""What `streamer models check` prints."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from streamer.check.judgement import notes, percentile, problems, real_time_factor
from streamer.check.probe import ProbeReport, SoundOutcome, probe
from streamer.check.recordings import OwnRecording, read_recording
from streamer.check.target import Target, find_targets
from streamer.cli.table import print_table
from streamer.config.sources import SettingsError
from streamer.weights.manifest import ModelError

COLUMNS = ("sound", "seconds", "p50", "p95", "real-time factor", "output")
CHUNK_COLUMNS = ("chunk", "seconds", "time", "output")
LONGEST_OUTPUT = 100
BAR_WIDTH = 16
"""Characters of the longest bar."""


class BadTarget(ModelError):
    """The configuration that was to be checked cannot be used; the message is one line."""


def check(named: str, out: Console, progress: Console, audio: Sequence[Path] = ()) -> int:
    """Check models, print what was found; return 1 if something is wrong with one, else 0.

    Args:
        named: What `find_targets` takes.
        out: Gets the tables.
        progress: Shows what is being done.
        audio: Recordings to run, too.

    Raises:
        ModelError: There is nothing to check, or a recording cannot be read.
    """
    try:
        targets = find_targets(named)
    except SettingsError as error:
        raise BadTarget(str(error)) from error
    recordings = [read_recording(path) for path in audio]
    codes = [_check(target, out, progress, recordings) for target in targets]
    return max(codes)


def _check(
    target: Target, out: Console, progress: Console, recordings: Sequence[OwnRecording]
) -> int:
    with progress.status(target.spec.name) as status:
        report = asyncio.run(probe(target, status.update, recordings))
    _print_report(report, out)
    found = list(problems(report))
    for problem in found:
        sys.stderr.write(f"streamer models: {target.spec.name}: {problem}\n")
    return 1 if found else 0


def _print_report(report: ProbeReport, out: Console) -> None:
    spec, ready = report.target.spec, report.ready
    if ready is None:
        return
    size = ready.max_batch_size
    batch = "one segment at a time" if size == 1 else f"up to {size} segments at a time"
    facts = (
        f"loaded in {report.load_s:.1f} s",
        f"{ready.sample_rate} Hz",
        "stateful" if ready.stateful else batch,
    )
    source = f" of {ready.source}" if ready.source else ""
    _print_line(f"{spec.name} ({spec.type}{source}): {', '.join(facts)}")
    rows = [COLUMNS, *map(_row, report.outcomes)]
    if out.is_terminal:
        bars = ["", *_bars(report)]
        rows = [(*row[:4], bar, *row[4:]) for row, bar in zip(rows, bars, strict=True)]
    print_table(out, rows, wrapped="output")
    if report.chunks:
        chunk_s = report.target.config.simple.chunk_seconds
        _print_line(f"in chunks of {chunk_s:g} s (simple.chunk_seconds):")
        print_table(out, [CHUNK_COLUMNS, *map(_chunk_row, report.chunks)], wrapped="output")
    for line in _summary(report):
        _print_line(line)


def _row(outcome: SoundOutcome) -> tuple[str, ...]:
    audio = f"{outcome.audio_s:g}"
    if not outcome.seconds:
        return (outcome.sound, audio, "", "", "", "failed")
    p50, p95 = (f"{percentile(outcome, percent) * 1e3:.2f} ms" for percent in (50, 95))
    factor = f"{real_time_factor(outcome):.4f}"
    return (outcome.sound, audio, p50, p95, factor, _shown(outcome.outputs[0]))


def _chunk_row(outcome: SoundOutcome) -> tuple[str, ...]:
    if not outcome.outputs:
        return (outcome.sound, f"{outcome.audio_s:g}", "", "failed")
    time = f"{outcome.seconds[0] * 1e3:.2f} ms"
    return (outcome.sound, f"{outcome.audio_s:g}", time, _shown(outcome.outputs[0]))


def _shown(fields: Mapping[str, object]) -> str:
    output = json.dumps(fields, ensure_ascii=False)
    return output if len(output) <= LONGEST_OUTPUT else output[: LONGEST_OUTPUT - 1] + "…"


def _bars(report: ProbeReport) -> Iterator[str]:
    """The median of each sound as a full bar, on to the 95th percentile as a light one.

    All have the scale of the longest.
    """
    measured = [outcome for outcome in report.outcomes if outcome.seconds]
    longest_s = max((percentile(outcome, 95) for outcome in measured), default=0.0) or 1.0
    for outcome in report.outcomes:
        if not outcome.seconds:
            yield ""
            continue
        full, whole = (
            max(1, round(BAR_WIDTH * percentile(outcome, percent) / longest_s))
            for percent in (50, 95)
        )
        yield "█" * full + "░" * (whole - full)


def _summary(report: ProbeReport) -> Iterator[str]:
    if report.memory_bytes:
        yield f"memory: {report.memory_bytes / 1e6:.0f} MB in a worker, at most"
    if (together := report.together) and not together.split:
        yield (
            f"batch of {together.size}: {together.together_s * 1e3:.2f} ms for each second of "
            f"audio, {together.alone_s * 1e3:.2f} ms alone"
        )
    remarks = list(notes(report))
    yield from (f"note: {remark}" for remark in remarks)
    if not list(problems(report)):
        yield ("it can serve, if the notes are as meant" if remarks else "nothing is wrong with it")


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
