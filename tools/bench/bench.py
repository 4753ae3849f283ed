"""How fast, how many, how cheap: `make bench`.

    make bench                          the recordings that come with the model
    make bench AUDIO=path/to/folder     every recording in a folder

Starts servers as a user would, drives them from this process with the load generator
(`streamer/load/`), prints tables, and writes JSON and pictures to `build/results/`, or to `audio/`
in there for recordings of your own.
Figures are ratios, CPU time per second of audio, or latencies with their percentiles; those of
processor time are the server's own, from the operating system.

A latency counts from the sending of the last speech in a segment to the final that holds it, so
the silence that ends the segment is included. The finals that `stop` brings, to all streams within
a second, are counted separately.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tools.bench.live import raise_descriptor_limit
from tools.bench.measurements import Bench
from tools.bench.pictures import draw
from tools.bench.result_files import RESULTS, Row, table, write_json
from tools.bench.targets import compare
from tools.command_line import tool_parser


def tables(results: dict[str, object], titles: dict[str, str]) -> Iterator[Table]:
    """One for each part that was measured, and the targets."""
    for name, title in titles.items():
        rows = results.get(name)
        if isinstance(rows, list):
            yield table(title, rows)
    if reached := compare(results):
        yield table("targets, and what was reached", reached)


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.bench", "How fast, how many, how cheap.")
    parser.add_argument("--audio", type=Path, help="a folder of recordings")
    parser.add_argument("--scale", type=float, default=1.0, help="of all durations")
    parser.add_argument("--only", nargs="+", help="parts to measure; the others stay as they were")
    args = parser.parse_args()
    raise_descriptor_limit()
    bench = Bench(args.audio, args.scale)
    steps: dict[str, tuple[str, Callable[[], list[Row]]]] = {
        "calibration": ("the parts alone", bench.calibration),
        "overhead": ("streaming overhead, 60 streams, stand-in model", bench.overhead),
        "growth": ("as streams grow, stand-in model", bench.growth),
        "memory": ("memory of the server process", bench.memory),
        "model": ("beside the bare model", bench.model),
        "live": ("live transcription", bench.live),
        "models": ("each built-in transcriber", bench.models),
        "early": ("early finals, 32 streams", bench.early),
        "interims": ("interims, 32 streams", bench.interims),
    }
    chosen = args.only or list(steps)
    if unknown := set(chosen) - set(steps):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(steps)}")
    folder = RESULTS if args.audio is None else RESULTS / "audio"
    file = folder / "bench.json"
    if args.only and file.exists():
        bench.results = {**json.loads(file.read_text()), **bench.results}
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        bar = progress.add_task("measuring", total=len(chosen))
        for name in chosen:
            progress.update(bar, description=steps[name][0])
            bench.results[name] = steps[name][1]()
            progress.advance(bar)
    out = Console(width=max(console.width, 180))
    for each in tables(bench.results, {name: title for name, (title, _) in steps.items()}):
        out.print(each)
    bench.results["targets"] = compare(bench.results)
    write_json(str(file.relative_to(RESULTS)), bench.results)
    draw(bench.results, folder)
    print(f"written to {folder}")


if __name__ == "__main__":
    main()
