"""How well speech is found, through the socket: part of `make accuracy AUDIO=folder`.

In the folder's manifest, files with "speech_s" (intervals of speech in seconds, labelled by people)
are compared within their "labelled_span_s", in frames of 10 ms and pooled over all files; in files
of the category "noise" every segment is a false one. The channels of a file count as one: where one
of them holds speech, there is speech.

The model is the stand-in: where speech was found is measured, and not its text.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streamer_client import transcribe
from tools.bench.serving import server

FRAME_S = 0.01
NEAR_S = 0.5
"""Seconds; a found boundary farther away from a labelled one is another event."""

Interval = tuple[float, float]
Frames = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """A file and where its speech is; `speech` is empty in noise."""

    path: Path
    span: Interval
    speech: tuple[Interval, ...]
    noise: bool


@dataclass(frozen=True)
class VadScore:
    """How one engine did on all files. Shares are of frames, errors medians in milliseconds."""

    engine: str
    precision: float
    recall: float
    f1: float
    false_alarm: float
    noise_segments_a_minute: float
    onset_error_ms: float
    """Late is positive."""
    offset_error_ms: float
    speech_missed: int
    """Labelled intervals of which nothing was found."""


def labelled(folder: Path) -> list[Labelled]:
    """The files of the manifest with labelled speech, and those with noise only."""
    found = []
    for entry in json.loads((folder / "manifest.json").read_text())["files"]:
        speech = tuple((float(a), float(b)) for a, b in entry.get("speech_s", ()))
        noise = entry.get("category") == "noise"
        if speech or noise:
            first, last = entry.get("labelled_span_s", (0.0, entry["duration_s"]))
            found.append(Labelled(folder / entry["path"], (first, last), speech, noise))
    return found


async def find_speech(path: Path, url: str) -> list[Interval]:
    """Intervals of speech that the server finds in a file, on any of its channels."""
    active_s: dict[int, float] = {}
    found = []
    async for event in transcribe(path, url):
        if event.channel is None or event.time is None:
            continue
        if event.type == "active":
            active_s[event.channel] = event.time
        elif event.type == "inactive":
            found.append((active_s.pop(event.channel), event.time))
    return found


def frames(intervals: list[Interval], span: Interval) -> Frames:
    """Which frames of `span` the intervals cover."""
    count = round(span[1] / FRAME_S)
    covered = np.zeros(count, dtype=np.bool_)
    for start, end in intervals:
        covered[round(start / FRAME_S) : round(end / FRAME_S)] = True
    return covered[round(span[0] / FRAME_S) :]


def nearest(labels: list[float], found: list[float]) -> list[float]:
    """Signed distances in seconds from labelled boundaries to the nearest found, where near."""
    if not found:
        return []
    gaps = [min((at - label for at in found), key=abs) for label in labels]
    return [gap for gap in gaps if abs(gap) <= NEAR_S]


def score(engine: str, results: list[tuple[Labelled, list[Interval]]]) -> VadScore:
    """Pool all files."""
    hits = false = missed = silent = lost = 0
    onsets: list[float] = []
    offsets: list[float] = []
    segments, noise_s = 0, 0.0
    for file, found in results:
        if file.noise:
            segments += len(found)
            noise_s += file.span[1]
            continue
        truth, answer = frames(list(file.speech), file.span), frames(found, file.span)
        hits += int((truth & answer).sum())
        false += int((~truth & answer).sum())
        missed += int((truth & ~answer).sum())
        silent += int((~truth & ~answer).sum())
        lost += sum(not any(a < end and b > start for a, b in found) for start, end in file.speech)
        onsets += nearest([start for start, _ in file.speech], [a for a, _ in found])
        offsets += nearest([end for _, end in file.speech], [b for _, b in found])
    return VadScore(
        engine=engine,
        precision=hits / max(1, hits + false),
        recall=hits / max(1, hits + missed),
        f1=2 * hits / max(1, 2 * hits + false + missed),
        false_alarm=false / max(1, false + silent),
        noise_segments_a_minute=60 * segments / noise_s if noise_s else 0.0,
        onset_error_ms=1000 * float(np.median(onsets)) if onsets else 0.0,
        offset_error_ms=1000 * float(np.median(offsets)) if offsets else 0.0,
        speech_missed=lost,
    )


def measure(engine: str, files: list[Labelled], console: Console) -> VadScore:
    """Stream all files through a server with this engine and the default settings."""
    with server(config={"model": {"type": "standin"}, "vad": {"engine": engine}}) as (url, _):
        results = [
            (file, asyncio.run(find_speech(file.path, url)))
            for file in track(files, f"finding speech, {engine}", console=console)
        ]
    return score(engine, results)


def report(scores: list[VadScore]) -> Table:
    """A row for each engine."""
    table = Table(title="voice activity")
    for column in VadScore.__dataclass_fields__:
        table.add_column(
            column.replace("_", " "), justify="left" if column == "engine" else "right"
        )
    for row in scores:
        table.add_row(
            row.engine,
            *(f"{value:.3f}" for value in (row.precision, row.recall, row.f1, row.false_alarm)),
            f"{row.noise_segments_a_minute:.2f}",
            f"{row.onset_error_ms:+.0f}",
            f"{row.offset_error_ms:+.0f}",
            str(row.speech_missed),
        )
    return table
