"""What a worker with one model or two costs: start, memory, and CPU for finals and interims.

    make bench-pairs                       the recordings that come with the model
    make bench-pairs AUDIO=path/to/folder  a folder with recordings

Each line is a process of its own, which loads what a worker loads and infers every recording as one
segment: once as a final, and before that as an interim for each second of it, if asked for. All
lines take turns, so that a busy machine is no advantage to any. CPU is of the process; memory is
what it has mapped for itself (USS) after the load and, at most, in use.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
import soxr
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streamer.config.schema import Config, ModelConfig
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec, make_model
from streamer.models.resolve import model_specs
from streamer.onnx.graph import Floats
from tools.bench.live import recordings
from tools.bench.result_files import write_json

RATE = 16_000
LONGEST_S = 20.0
"""Seconds: the default of `vad.max_segment_ms`."""
INTERVAL_S = 1.0
"""Seconds between two interims."""

PAIRS = {
    "tiny": ModelConfig(path="moonshine-tiny-en"),
    "base": ModelConfig(path="moonshine-base-en"),
    "base, tiny interims": ModelConfig(path="moonshine-base-en", interim_model="moonshine-tiny-en"),
}


@dataclass(frozen=True)
class Loaded:
    """A worker that is ready: seconds, CPU seconds and bytes."""

    start_s: float
    start_cpu_s: float
    memory: int


@dataclass(frozen=True)
class Cost:
    """CPU in milliseconds for a second of audio; memory in bytes, at most."""

    finals: float
    with_interims: float
    memory: int


def work(link: Connection, spec: ModelSpec, audio: list[Floats]) -> None:
    """Load, report, and then infer everything for each message, until there is None."""
    begun_s = time.monotonic()
    model = make_model(spec)
    model.warm_up()
    process = psutil.Process()
    taken_s = time.monotonic() - begun_s
    link.send(Loaded(taken_s, time.process_time(), process.memory_full_info().uss))
    seconds = sum(map(len, audio)) / RATE
    while link.recv():
        begun_s = time.process_time()
        for samples in audio:
            model.infer_request(samples, SegmentRequest())
        finals_s = time.process_time() - begun_s
        for samples in audio:
            for end in range(int(INTERVAL_S * RATE), len(samples), int(INTERVAL_S * RATE)):
                model.infer_request(samples[:end], SegmentRequest(interim=True))
        all_s = time.process_time() - begun_s
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        link.send(Cost(1000 * finals_s / seconds, 1000 * all_s / seconds, most))


def segments(folder: Path | None, at_most_s: float) -> list[Floats]:
    """The recordings at 16 kHz, none longer than a segment; together not much more than asked."""
    found: list[Floats] = []
    for samples, rate in recordings(folder):
        audio = soxr.resample(samples, rate, RATE)
        for begin in range(0, len(audio), int(LONGEST_S * RATE)):
            if sum(map(len, found)) < at_most_s * RATE:
                found.append(np.ascontiguousarray(audio[begin : begin + int(LONGEST_S * RATE)]))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What one model and two cost in a worker.")
    parser.add_argument("--audio", type=Path, help="a folder with recordings")
    parser.add_argument("--seconds", type=float, default=60.0, help="of audio, about")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    audio = segments(args.audio, args.seconds)
    context = multiprocessing.get_context("spawn")
    links: dict[str, Connection] = {}
    loaded: dict[str, Loaded] = {}
    for name, model in PAIRS.items():
        (spec,) = model_specs(Config(model=model), Path())
        links[name], end = context.Pipe()
        context.Process(target=work, args=(end, spec, audio), daemon=True).start()
        loaded[name] = links[name].recv()
    costs: dict[str, list[Cost]] = {name: [] for name in PAIRS}
    for _ in track(range(args.rounds), "measuring", console=Console(stderr=True)):
        for name, link in links.items():
            link.send(True)
            costs[name].append(link.recv())
    for link in links.values():
        link.send(None)
    seconds = sum(map(len, audio)) / RATE
    table = Table(title=f"a worker, {len(audio)} segments, {seconds:.0f} s, best of {args.rounds}")
    for column in ("models", "start, s", "of it CPU", "memory, MB", "at most, MB"):
        table.add_column(column)
    table.add_column("finals, ms/s")
    table.add_column("with interims, ms/s")
    rows = {}
    for name, each in costs.items():
        finals = [cost.finals for cost in each]
        interims = [cost.with_interims for cost in each]
        start = loaded[name]
        rows[name] = {
            "start_s": start.start_s,
            "start_cpu_s": start.start_cpu_s,
            "memory_mb": start.memory / 1e6,
            "most_memory_mb": each[-1].memory / 1e6,
            "finals_ms": min(finals),
            "finals_median_ms": statistics.median(finals),
            "with_interims_ms": min(interims),
            "with_interims_median_ms": statistics.median(interims),
        }
        table.add_row(
            name,
            f"{start.start_s:.2f}",
            f"{start.start_cpu_s:.2f}",
            f"{start.memory / 1e6:.0f}",
            f"{each[-1].memory / 1e6:.0f}",
            f"{min(finals):.1f}",
            f"{min(interims):.1f}",
        )
    Console(width=max(Console().width, 110)).print(table)
    write_json("pairs.json", rows)


if __name__ == "__main__":
    main()
