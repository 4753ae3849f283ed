"""What `make bench` measures: one method for each part, each with a server of its own."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from streamer.onnx.graph import Floats
from streamer_client import transcribe
from tools.bench import floor
from tools.bench.live import (
    RATE,
    STAND_IN,
    LiveRun,
    Served,
    bare,
    bare_worker_rss,
    detector_ms,
    joined,
    machine,
    recordings,
    serve,
    written,
)
from tools.bench.published import PublishedMoonshine
from tools.bench.result_files import Row, percentiles
from tools.bench.targets import PAIR

LIMIT_MS = 1000.0
"""Milliseconds; the largest number of streams is that whose 95th percentile is within this."""

MODELS: Mapping[str, Mapping[str, object]] = {
    "Tiny": {"path": "moonshine-tiny-en"},
    "Base": {"path": "moonshine-base-en"},
    PAIR: {
        "path": "moonshine-base-en",
        "interim_model": "moonshine-tiny-en",
    },
}
"""Configurations of the built-in transcribers, by the names in the table."""

UPWARDS, DOWNWARDS = (80, 96, 112, 120, 128, 136), (48, 40, 24, 16)
"""Numbers of streams to try, when those of 64 come in time and when they do not."""

MANY = (40, 48, 56, 64)
"""Numbers of streams with which the pair of models is tried besides."""


def live_row(run: LiveRun, streams: int, *, interims: bool) -> Row:
    """One line of the table of live transcription."""
    report = run.report
    total = run.loop_cpu_s + run.workers_cpu_s
    return {
        "streams": streams,
        "interims": interims,
        "finals": report.events["segment"],
        "lost": report.lost + report.unfinished,
        **{f"final {key} ms": value for key, value in percentiles(report.final_ms).items()},
        **{f"after inactive {k} ms": v for k, v in percentiles(report.settled_ms).items()},
        "after stop p95 ms": percentiles(report.closing_ms)["p95"],
        "interims a second": round(report.events["interim"] / (report.audio_s / streams), 1),
        "CPU ms per audio s": round(1000 * total / report.audio_s, 1),
        "CPU ms per speech s": (
            round(1000 * total / report.inferred_s, 1) if report.inferred_s else None
        ),
        "generator late p99 ms": percentiles(report.late_ms)["p99"],
    }


def in_time(row: Row) -> bool:
    """Whether finals come within the limit, and all of them."""
    p95 = row["final p95 ms"]
    return isinstance(p95, int) and p95 <= LIMIT_MS and row["lost"] == 0


class Bench:
    """All measurements; each returns rows and is one step of the progress bar."""

    def __init__(self, folder: Path | None, scale: float) -> None:
        self._parts = recordings(folder)
        self._speech = joined(self._parts, RATE)
        self._scale = scale
        self.results: dict[str, object] = {"machine": machine()}

    def calibration(self) -> list[Row]:
        """What the parts cost alone, on this machine at this moment."""
        return [
            {
                "receiving alone, ms per audio s": round(floor.played("websockets-sansio"), 2),
                "Silero, 32 windows a call": round(detector_ms(32), 2),
                "one window a call": round(detector_ms(1), 2),
            }
        ]

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
                    "server CPU ms per audio s": round(run.steady_ms(60), 2),
                    "with opening and closing": round(run.loop_ms, 2),
                    "generator CPU": round(1000 * run.report.cpu_s / run.report.audio_s, 2),
                    "active p95 ms": percentiles(run.report.active_ms)["p95"],
                }
            )
        return rows

    def growth(self) -> list[Row]:
        """The same as streams grow."""
        rows: list[Row] = []
        for streams in (1, 10, 50, 100, 200):
            with serve(STAND_IN) as served:
                run = served.play(self._speech, RATE, streams, 12 * self._scale)
            rows.append(
                {
                    "streams": streams,
                    "server CPU ms per audio s": round(run.steady_ms(streams), 2),
                    "active p95 ms": percentiles(run.report.active_ms)["p95"],
                }
            )
        return rows

    def memory(self) -> list[Row]:
        """Of 200 sessions in the server's process, after 20 that come and go first."""
        with serve(STAND_IN) as served:
            with served.idle(20):
                pass
            before = served.rss
            with served.idle(200):
                idle = served.rss - before
        with serve(STAND_IN) as served:
            with served.idle(20):
                pass
            before = served.rss
            run = served.play(self._speech, RATE, 200, 15 * self._scale)
            active = run.samples[-1].rss - before
        return [
            {
                "idle session KB": round(idle / 200 / 1000),
                "active session KB": round(active / 200 / 1000),
            }
        ]

    def live(self) -> list[Row]:
        """Live transcription: how soon finals come, and how many streams there may be."""
        rows: list[Row] = []
        with serve({}) as served:
            for streams, interims in ((1, False), (32, False), (32, True), (64, False), (64, True)):
                rows.append(self._live(served, streams, interims=interims))
        further = UPWARDS if in_time(rows[3]) else DOWNWARDS
        for streams in further:
            with serve({}) as served:
                rows.append(self._live(served, streams, interims=False))
            if in_time(rows[-1]) != (further is UPWARDS):
                break
        return rows

    def _live(self, served: Served, streams: int, *, interims: bool) -> Row:
        run = served.play(self._speech, RATE, streams, 30 * self._scale, interims=interims)
        return live_row(run, streams, interims=interims)

    def model(self) -> list[Row]:
        """A recording through the socket at once, and live, beside the model alone."""
        with serve({"inference": {"early_finals": False}}) as served:
            frugal = served.play(self._speech, RATE, 32, 20 * self._scale)
        with written(self._speech) as path, serve({}) as served:
            live = served.play(self._speech, RATE, 32, 20 * self._scale)
            worker = max(process.memory_info().rss for process in served.workers)
            started_s = time.perf_counter()
            times = asyncio.run(_segments(path, served.url))
            wall = time.perf_counter() - started_s
        segments = [self._speech[round(a * RATE) : round(b * RATE)] for a, b in times]
        bare_cpu, bare_wall = bare(segments)
        speech_s = sum(b - a for a, b in times)
        bare_s, published_s = bare_cpu / speech_s, bare(segments, PublishedMoonshine)[0] / speech_s
        whole_s, frugal_s = (
            (run.loop_cpu_s + run.workers_cpu_s) / run.report.inferred_s for run in (live, frugal)
        )
        workers_s = live.workers_cpu_s / live.report.inferred_s
        alone = bare_worker_rss()
        return [
            {
                "model CPU ms per speech s": round(1000 * bare_s, 1),
                "with the published graphs": round(1000 * published_s, 1),
                "32 live streams, all processes": round(1000 * whole_s, 1),
                "of which workers": round(1000 * workers_s, 1),
                "whole over the model's": round(whole_s / bare_s, 2),
                "without early finals": round(frugal_s / bare_s, 2),
                "whole over the published model's": round(whole_s / published_s, 2),
                "file at once, over the model's time": round(wall / bare_wall, 2),
                "its real-time factor": round(wall * RATE / len(self._speech), 3),
                "worker memory MB": round(worker / 1e6),
                "over a bare process": round(worker / alone, 2),
            }
        ]

    def models(self) -> list[Row]:
        """Each built-in transcriber with 1, 16 and 32 streams, with interims and without.

        Of the pair that is the default, also how many streams there may be with interims.
        """
        plan = [
            (streams, name, interims)
            for streams in (1, 16, 32)
            for name in MODELS
            for interims in (False, True)
        ]
        plan += [(streams, PAIR, True) for streams in MANY]
        return [
            self._model_row(streams, name, interims=interims) for streams, name, interims in plan
        ]

    def _model_row(self, streams: int, name: str, *, interims: bool) -> Row:
        config = MODELS[name]
        own_ms = self._own_ms(config)
        with serve({"model": config}) as served:
            run = served.play(self._speech, RATE, streams, 20 * self._scale, interims=interims)
        row = live_row(run, streams, interims=interims)
        kept = ("lost", "final p50 ms", "final p95 ms", "interims a second")
        return {
            "model": name,
            "streams": streams,
            "interims": interims,
            **{key: row[key] for key in (*kept, "CPU ms per speech s")},
            "of the finals' model alone": round(own_ms, 1),
            "ratio": _ratio(row["CPU ms per speech s"], own_ms),
        }

    def _own_ms(self, config: Mapping[str, object]) -> float:
        """CPU of a model alone in milliseconds for a second of audio, in pieces of six seconds."""
        pieces = np.array_split(self._speech, max(1, len(self._speech) // (6 * RATE)))
        cpu_s, _ = bare(pieces, name=str(config["path"]))
        return 1000 * cpu_s * RATE / len(self._speech)

    def interims(self) -> list[Row]:
        """What interims bring and cost: 32 streams with them and without, one after the other."""
        rows: list[Row] = []
        for name in ("Tiny", PAIR):
            costs: list[float] = []
            for interims in (False, True):
                with serve({"model": MODELS[name]}) as served:
                    run = served.play(self._speech, RATE, 32, 20 * self._scale, interims=interims)
                    counted = served.inference_counters()
                costs.append((run.loop_cpu_s + run.workers_cpu_s) / run.report.audio_s)
                rows.append({"model": name, **_interims_row(run, counted, costs)})
        return rows

    def early(self) -> list[Row]:
        """What early finals bring and cost: 32 streams with them and without."""
        rows: list[Row] = []
        for enabled in (True, False):
            with serve({"inference": {"early_finals": enabled}}) as served:
                run = served.play(self._speech, RATE, 32, 20 * self._scale)
                counted = served.inference_counters()
            row = live_row(run, 32, interims=False)
            kept = ("finals", "final p50 ms", "final p95 ms", "CPU ms per speech s")
            rows.append(
                {
                    "early finals": enabled,
                    "used": counted["early_used"],
                    "in vain": counted["early_wasted"],
                    **{key: row[key] for key in kept},
                }
            )
        return rows


def _interims_row(
    run: LiveRun, counted: Mapping[str, float], costs: Sequence[float]
) -> dict[str, object]:
    """One line of the table of interims.

    Args:
        run: The load.
        counted: What the workers have done in it.
        costs: CPU of the whole server for a second of audio, without interims and, if this is the
            line of a load with interims, with them.
    """
    report = run.report
    shown, final = percentiles(report.shown_ms), percentiles(report.final_ms)
    workers_s = counted["inference_seconds"] + counted["abandoned_seconds"]
    return {
        "interims": len(costs) > 1,
        "last words shown p50 ms": shown["p50"],
        "p95": shown["p95"],
        "final p50 ms": final["p50"],
        "final p95 ms": final["p95"],
        "interims a second, each stream": round(report.events["interim"] / report.audio_s, 2),
        "CPU ms per audio s": round(1000 * costs[-1], 1),
        "over without": round(costs[-1] / costs[0], 2),
        "early finals used": counted["early_used"],
        "interims only": counted["early_shown"],
        "in vain": counted["early_wasted"],
        "in vain, % of the workers' time": round(
            100 * counted["early_wasted_seconds"] / workers_s, 1
        ),
    }


def _ratio(value: object, own_ms: float) -> float | None:
    return round(value / own_ms, 2) if isinstance(value, float) else None


async def _segments(path: Path, url: str) -> list[tuple[float, float]]:
    events = [event async for event in transcribe(path, url) if event.type == "segment"]
    return [(event.start_time or 0.0, event.end_time or 0.0) for event in events]
