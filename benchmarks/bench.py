"""How fast, how many, how cheap: `make bench`.

    make bench                          the recordings that come with the model
    make bench AUDIO=path/to/folder     every recording in a folder

Starts servers as a user would, drives them from this process with the client's load generator
(`streamer_client/load.py`), prints tables, and writes JSON and pictures to `benchmarks/results/`.
Figures are ratios, CPU time per second of audio, or latencies with their percentiles; those of
processor time are the server's own, from the operating system.

A latency counts from the sending of the last speech in a segment to the final that holds it, so
the silence that ends the segment is in it.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from live import (
    MODEL,
    STAND_IN,
    Floats,
    Run,
    bare,
    bare_worker_rss,
    joined,
    machine,
    raise_descriptor_limit,
    recordings,
    serve,
)
from pictures import draw
from streamer.weights.manifest import require
from streamer_client import transcribe

RESULTS = Path(__file__).parent / "results"
RATE = 16_000
LIMIT_MS = 1000.0
"""The largest number of streams is that whose finals come within this, at the 95th percentile."""

Row = dict[str, object]


def percentiles(values: list[float]) -> Row:
    """In whole milliseconds; None where there is nothing to say."""
    if not values:
        return {"p50": None, "p95": None, "p99": None}
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return {"p50": round(float(p50)), "p95": round(float(p95)), "p99": round(float(p99))}


def live_row(run: Run, streams: int, *, interims: bool) -> Row:
    """One line of the table of live transcription."""
    report = run.report
    total = run.loop_cpu_s + run.workers_cpu_s
    return {
        "streams": streams,
        "interims": interims,
        "finals": report.events["segment"],
        "lost": report.lost,
        **{f"final {key} ms": value for key, value in percentiles(report.final_ms).items()},
        **{f"after inactive {k} ms": v for k, v in percentiles(report.settled_ms).items()},
        "interims a second": round(report.events["interim"] / (report.audio_s / streams), 1),
        "CPU ms per audio s": round(1000 * total / report.audio_s, 1),
        "CPU ms per speech s": round(1000 * total / max(report.inferred_s, 0.001), 1),
        "generator late p99 ms": percentiles(report.late_ms)["p99"],
    }


class Bench:
    """All measurements; each returns rows and is one step of the progress bar."""

    def __init__(self, folder: Path | None, scale: float) -> None:
        self._parts = recordings(folder)
        self._speech = joined(self._parts, RATE)
        self._scale = scale
        self.results: dict[str, object] = {"machine": machine()}

    def overhead(self) -> list[Row]:
        """CPU of the server process with a model that costs nothing, 60 streams."""
        rows = []
        wide = joined(self._parts, 48_000)
        cases: list[tuple[str, int, Floats]] = [
            ("silero", RATE, self._speech),
            ("silero", 48_000, wide),
            ("webrtc", RATE, self._speech),
        ]
        for engine, rate, audio in cases:
            with serve({**STAND_IN, "vad": {"engine": engine}}) as served:
                run = served.play(audio, rate, 60, 20 * self._scale)
            rows.append(
                {
                    "engine": engine,
                    "input Hz": rate,
                    "server CPU ms per audio s": round(run.loop_ms, 2),
                    "generator CPU ms per audio s": round(
                        1000 * run.report.cpu_s / run.report.audio_s, 2
                    ),
                    "active p95 ms": percentiles(run.report.active_ms)["p95"],
                }
            )
        return rows

    def growth(self) -> list[Row]:
        """The same as streams grow, and memory."""
        rows: list[Row] = []
        for streams in (1, 10, 50, 100, 200):
            with serve(STAND_IN) as served:
                before = served.rss
                run = served.play(self._speech, RATE, streams, 12 * self._scale)
                grown = served.rss - before
            rows.append(
                {
                    "streams": streams,
                    "server CPU ms per audio s": round(run.loop_ms, 2),
                    "memory KB per active session": round(grown / streams / 1000),
                }
            )
        return rows

    def live(self) -> list[Row]:
        """Live transcription: how soon finals come, and how many streams there may be."""
        rows = []
        with serve({}) as served:
            for streams, interims in ((1, False), (32, False), (32, True), (64, False), (64, True)):
                seconds = 30 * self._scale * (2 if streams == 1 else 1)
                run = served.play(self._speech, RATE, streams, seconds, interims=interims)
                rows.append(live_row(run, streams, interims=interims))
        rows += self._most()
        return rows

    def _most(self) -> list[Row]:
        """More streams, as long as finals come in time; fewer, until they do."""
        rows: list[Row] = []
        for streams in (80, 96, 112):
            with serve({}) as served:
                run = served.play(self._speech, RATE, streams, 30 * self._scale)
            rows.append(live_row(run, streams, interims=False))
            if float(np.percentile(run.report.final_ms or [np.inf], 95)) > LIMIT_MS:
                break
        return rows

    def model(self) -> list[Row]:
        """A recording through the socket at once, beside the model alone on the same segments."""
        path = require(MODEL) / "two_cities.wav"
        samples, rate = soundfile.read(path, dtype="float32")
        audio = joined([(samples, rate)], RATE)
        with serve({}) as served:
            run = served.play(audio, RATE, 8, 30 * self._scale)
            worker = max(process.memory_info().rss for process in served.workers)
            begun = time.perf_counter()
            times = asyncio.run(_segments(path, served.url))
            wall = time.perf_counter() - begun
        segments = [audio[round(a * RATE) : round(b * RATE)] for a, b in times]
        bare_cpu, bare_wall = bare(segments)
        speech = sum(b - a for a, b in times)
        paced = run.loop_cpu_s + run.workers_cpu_s
        alone = bare_worker_rss()
        return [
            {
                "whole cost, live, over the model's": round(
                    (paced / run.report.inferred_s) / (bare_cpu / speech), 2
                ),
                "file at once, over the model's time": round(wall / bare_wall, 2),
                "real-time factor of the file": round(wall * RATE / len(audio), 3),
                "model CPU ms per speech s": round(1000 * bare_cpu / speech, 1),
                "worker memory MB": round(worker / 1e6),
                "over a bare process": round(worker / alone, 2),
            }
        ]


async def _segments(path: Path, url: str) -> list[tuple[float, float]]:
    events = [event async for event in transcribe(path, url) if event.type == "segment"]
    return [(event.start_time or 0.0, event.end_time or 0.0) for event in events]


def table(title: str, rows: list[Row]) -> Table:
    """What is printed."""
    made = Table(title=title)
    for column in rows[0]:
        made.add_column(column, justify="right")
    for row in rows:
        made.add_row(*("–" if value is None else str(value) for value in row.values()))
    return made


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="How fast, how many, how cheap.")
    parser.add_argument("--audio", type=Path, help="a folder of recordings")
    parser.add_argument("--scale", type=float, default=1.0, help="of all durations")
    parser.add_argument(
        "--only", nargs="+", choices=("overhead", "growth", "live", "model"), default=None
    )
    args = parser.parse_args()
    raise_descriptor_limit()
    bench = Bench(args.audio, args.scale)
    steps: dict[str, tuple[str, Callable[[], list[Row]]]] = {
        "overhead": ("streaming overhead, 60 streams, stand-in model", bench.overhead),
        "growth": ("as streams grow, stand-in model", bench.growth),
        "model": ("beside the bare model", bench.model),
        "live": ("live transcription", bench.live),
    }
    wanted = args.only or list(steps)
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        bar = progress.add_task("measuring", total=len(wanted))
        for name in wanted:
            progress.update(bar, description=steps[name][0])
            bench.results[name] = steps[name][1]()
            progress.advance(bar)
    out = Console(width=max(console.width, 180))
    for name in wanted:
        rows = bench.results[name]
        assert isinstance(rows, list)
        out.print(table(steps[name][0], rows))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "bench.json").write_text(json.dumps(bench.results, indent=2))
    draw(bench.results, RESULTS)
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
