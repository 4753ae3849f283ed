"""Whether anything grows in half an hour of many streams: `make bench-long`.

The stand-in model takes as long as a transcriber would, without its processor time, so that what
is seen is the server. Memory, descriptors and tasks are looked at all the time; latencies are
compared between the first tenth of the finals and the last.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from urllib.request import urlopen

import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.load.generate import generate
from streamer.load.load_report import LoadReport
from streamer.load.plan import LoadPlan
from streamer_client.formats import AudioFormat
from tools.bench.live import (
    RATE,
    Served,
    joined,
    machine,
    raise_descriptor_limit,
    recordings,
    serve,
)
from tools.bench.pictures import draw_long
from tools.bench.result_files import write_json
from tools.command_line import tool_parser

MODEL = {"model": {"type": "standin", "options": {"delay": 0.03, "constant_factor": 0.02}}}
EVERY_S = 10.0


@dataclass(frozen=True)
class Look:
    """The server's process at one moment."""

    minutes: float
    rss_mb: float
    descriptors: int
    tasks: int


def look(served: Served, at_s: float) -> Look:
    """Ask the operating system, and the server's own metrics."""
    url = served.url.replace("ws://", "http://").replace("/api/v1/segmented", "/metrics")
    with urlopen(url) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    alive = {family.name: family.samples for family in families}["streamer_tasks_alive"]
    process = psutil.Process(served.process.pid)
    tasks = round(sum(sample.value for sample in alive))
    return Look(round(at_s / 60, 2), round(served.rss / 1e6, 1), process.num_fds(), tasks)


def run(
    streams: int, seconds: float, on_progress: Callable[[float], None]
) -> tuple[LoadReport, list[Look]]:
    """Play, and look now and then; the first look is after a minute, when all is warm."""
    looks: list[Look] = []
    audio = joined(recordings(None), RATE)
    pcm = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    with serve(MODEL) as served:

        def passed(at_s: float) -> None:
            on_progress(at_s)
            due_s = min(60.0, seconds / 10) if not looks else looks[-1].minutes * 60 + EVERY_S
            if due_s <= at_s < seconds:
                looks.append(look(served, at_s))

        plan = LoadPlan(served.url, streams, seconds, pcm, AudioFormat(RATE, 1, 16))
        return generate(plan, passed), looks


def summary(report: LoadReport, looks: list[Look]) -> list[dict[str, object]]:
    """What was at the start, what at the end."""
    tenth = max(1, len(report.final_ms) // 10)
    rows: list[dict[str, object]] = [
        {"what": name, "start": getattr(looks[0], name), "end": getattr(looks[-1], name)}
        for name in ("rss_mb", "descriptors", "tasks")
    ]
    for part in (50, 95, 99):
        start, end = (
            round(float(np.percentile(finals, part)))
            for finals in (report.final_ms[:tenth], report.final_ms[-tenth:])
        )
        rows.append({"what": f"final p{part} ms", "start": start, "end": end})
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.long", "Half an hour of many streams.")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=30)
    args = parser.parse_args()
    raise_descriptor_limit()
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("playing", total=args.minutes * 60)
        report, looks = run(
            args.streams, args.minutes * 60, lambda at_s: progress.update(bar, completed=at_s)
        )
    rows = summary(report, looks)
    table = Table(title=f"{args.minutes:g} minutes of {args.streams} streams")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    console = Console()
    console.print(table)
    events = report.events
    console.print(
        f"{events['segment']} finals, {report.lost} lost, {report.unfinished} streams unfinished"
    )
    results = {
        "machine": machine(),
        "streams": args.streams,
        "minutes": args.minutes,
        "finals": events["segment"],
        "lost": report.lost,
        "unfinished": report.unfinished,
        "rows": rows,
        "looks": [asdict(each) for each in looks],
    }
    draw_long(results, write_json("long.json", results).parent)


if __name__ == "__main__":
    main()
