"""What a worker with one model or two costs: start, memory, and CPU for finals and interims.

    make bench-pairs                       the recordings that come with the model
    make bench-pairs AUDIO=path/to/folder  a folder with recordings

Each line is a process of its own, which loads what a worker loads and infers every recording as one
segment: once as a final, and before that as an interim for each second of it, if asked for. All
lines take turns, so that a busy machine is no advantage to any. CPU is of the process; memory is
what it has mapped for itself (USS) after the load and, at most, in use.
"""

import multiprocessing
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
import soxr
from rich.console import Console
from rich.progress import track

from streamer.config.models import ModelConfig
from streamer.config.schema import Config
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec, make_model
from streamer.models.resolve import model_specs
from streamer.onnx.graph import Floats
from tools.bench.live import recordings
from tools.bench.reference import positive
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

RATE = 16_000
LONGEST_S = 20.0
"""Seconds: the default of `vad.max_segment_ms`."""
INTERVAL_S = 1.0
"""Seconds between two interims."""

PAIRS = {
    "moonshine-tiny-en": ModelConfig(path="moonshine-tiny-en"),
    "moonshine-base-en": ModelConfig(path="moonshine-base-en"),
    "Base, interims by Tiny": ModelConfig(
        path="moonshine-base-en", interim_model="moonshine-tiny-en"
    ),
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


def row(name: str, start: Loaded, costs: Sequence[Cost]) -> Row:
    """What a worker costs: of the rounds, the least."""
    return {
        "models": name,
        "start, s": round(start.start_s, 2),
        "of it CPU": round(start.start_cpu_s, 2),
        "memory, MB": round(start.memory / 1e6),
        "at most, MB": round(costs[-1].memory / 1e6),
        "finals, ms/s": round(min(each.finals for each in costs), 1),
        "with interims, ms/s": round(min(each.with_interims for each in costs), 1),
    }


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.pairs", "What one model and two cost in a worker.")
    parser.add_argument("--audio", type=Path, help="a folder with recordings")
    parser.add_argument("--seconds", type=float, default=60.0, help="of audio, about")
    parser.add_argument("--rounds", type=positive, default=5)
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
    rows = [row(name, loaded[name], each) for name, each in costs.items()]
    title = f"a worker, {len(audio)} segments, {seconds:.0f} s, best of {args.rounds}"
    Console(width=max(Console().width, 110)).print(table(title, rows))
    write_json("pairs.json", {"rounds": args.rounds, "seconds": round(seconds), "rows": rows})


if __name__ == "__main__":
    main()
