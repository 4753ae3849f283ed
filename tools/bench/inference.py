"""How soon finals come and what inference costs, as sessions grow: `make bench-inference`.

Starts the server as a user would and plays the recordings that come with the model to it, in real
time, in messages of 20 ms, each session from another place. Prints a table, and writes it as JSON
to `build/results/inference.json`.
"""

import asyncio
import itertools
import json
import os
import platform
import random
import time
from dataclasses import asdict, dataclass, field
from urllib.request import urlopen

import numpy as np
import psutil
import soundfile
import soxr
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.inference.scheduler import ScheduledJob, Scheduler
from streamer.weights.manifest import require
from streamer_client import Stream, connect
from tools.bench.result_files import write_json
from tools.bench.serving import server
from tools.command_line import tool_parser

RATE = 16_000
MESSAGE_S = 0.02
MESSAGE_BYTES = int(RATE * MESSAGE_S) * 2


@dataclass
class Seen:
    """What the sessions of one run saw."""

    latencies_ms: list[float] = field(default_factory=list)
    interims: int = 0
    finals: int = 0
    errors: int = 0


@dataclass(frozen=True)
class SessionsRow:
    """One line of the table. Times are medians and percentiles from `inactive` to `segment`."""

    sessions: int
    interim_results: bool
    finals: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    interims_per_s: float
    cpu_ms_per_audio_s: float
    early_used: int
    early_wasted: int
    interims_shed: int
    errors: int


def speech() -> bytes:
    """The recordings one after another, 16 kHz mono s16le."""
    parts = []
    for name in ("two_cities.wav", "beckett.wav"):
        samples, rate = soundfile.read(require("moonshine-tiny-en") / name, dtype="float32")
        parts.append(soxr.resample(samples, rate, RATE))
    return (np.concatenate(parts) * 32767).astype(np.int16).tobytes()


async def session(url: str, audio: bytes, seconds: float, *, interims: bool, seen: Seen) -> None:
    """Play `seconds` of `audio` from a random place, going round."""
    at = random.randrange(len(audio) // MESSAGE_BYTES) * MESSAGE_BYTES
    doubled = audio + audio
    await asyncio.sleep(random.random())
    async with (
        connect(url, sample_rate=RATE, interim_results=interims) as stream,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(_play(stream, doubled[at:], seconds))
        ended: list[float] = []
        async for event in stream:
            if event.type == "inactive":
                ended.append(time.perf_counter())
            elif event.type == "segment":
                seen.finals += 1
                seen.latencies_ms.append(1000 * (time.perf_counter() - ended.pop(0)))
            elif event.type == "interim":
                seen.interims += 1
            elif event.type == "error":
                seen.errors += 1


async def _play(stream: Stream, audio: bytes, seconds: float) -> None:
    started = time.perf_counter()
    for index in range(int(seconds / MESSAGE_S)):
        first = index * MESSAGE_BYTES % (len(audio) // 2)
        await stream.send(audio[first : first + MESSAGE_BYTES])
        await asyncio.sleep(max(0.0, started + (index + 1) * MESSAGE_S - time.perf_counter()))
    await stream.stop()


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of the server and its workers."""
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return float(sum(t.user + t.system for t in times))


def counters(url: str) -> dict[str, int]:
    """The server's own count."""
    with urlopen(url.replace("ws", "http", 1).replace("segmented", "info")) as answer:
        found: dict[str, int] = json.load(answer)["inference"]
    return found


async def run(
    url: str, process: psutil.Process, sessions: int, seconds: float, *, interims: bool
) -> SessionsRow:
    """One line of the table."""
    seen, audio = Seen(), speech()
    before, cpu_before = counters(url), cpu_s(process)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(sessions):
            tasks.create_task(session(url, audio, seconds, interims=interims, seen=seen))
    after, cpu = counters(url), cpu_s(process) - cpu_before
    p50, p95, p99 = np.percentile(seen.latencies_ms, (50, 95, 99))
    return SessionsRow(
        sessions=sessions,
        interim_results=interims,
        finals=seen.finals,
        p50_ms=round(float(p50), 1),
        p95_ms=round(float(p95), 1),
        p99_ms=round(float(p99), 1),
        interims_per_s=round(seen.interims / seconds, 1),
        cpu_ms_per_audio_s=round(1000 * cpu / (sessions * seconds), 1),
        early_used=after["early_used"] - before["early_used"],
        early_wasted=after["early_wasted"] - before["early_wasted"],
        interims_shed=after["interims_shed"] - before["interims_shed"],
        errors=seen.errors,
    )


def scheduler_overhead_us(sessions: int, jobs: int = 100_000) -> float:
    """CPU microseconds that the scheduler itself spends on a job, with every session waiting."""
    scheduler: Scheduler[ScheduledJob] = Scheduler(2)
    for channel in range(sessions):
        scheduler.add(ScheduledJob(session=channel, channel=channel))
    started = time.process_time()
    for channel, _ in zip(itertools.cycle(range(sessions)), range(jobs), strict=False):
        scheduler.add(ScheduledJob(session=channel, channel=channel))
        scheduler.next_batch("worker")
        scheduler.finished("worker")
    return 1e6 * (time.process_time() - started) / jobs


def table(rows: list[SessionsRow]) -> Table:
    """What is printed."""
    made = Table(title="inactive → segment, in milliseconds")
    for column in SessionsRow.__dataclass_fields__:
        made.add_column(column.replace("_", " "), justify="right")
    for row in rows:
        made.add_row(*(str(value) for value in asdict(row).values()))
    return made


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.inference", "Latency and cost of inference.")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 8, 32, 64])
    parser.add_argument("--seconds", type=float, default=20.0, help="audio of each session")
    args = parser.parse_args()
    rows = []
    console = Console(stderr=True)
    runs = list(itertools.product(args.sessions, (False, True)))
    with server() as (url, pid), Progress(console=console) as progress:
        bar = progress.add_task("playing", total=len(runs))
        for sessions, interims in runs:
            # One session has too few finals in the time that is enough for many.
            seconds = args.seconds * (3 if sessions == 1 else 1)
            measured = run(url, psutil.Process(pid), sessions, seconds, interims=interims)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                rows.append(runner.run(measured))
            progress.advance(bar)
    overhead = {n: round(scheduler_overhead_us(n), 2) for n in args.sessions}
    Console(width=max(console.width, 160)).print(table(rows))
    print("scheduler, CPU µs a job, by waiting sessions:", overhead)
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    report = {"machine": machine, "rows": [asdict(r) for r in rows], "scheduler_us": overhead}
    print(f"written to {write_json('inference.json', report)}")


if __name__ == "__main__":
    main()
