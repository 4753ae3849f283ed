"""Where the processor time of the server's event loop goes: `python -m tools.bench.loop_profile`.

Plays live streams to a server whose model costs nothing, and prints the processor time of each
stage for a second of audio. The stages are in `stage_clock.py`. Reading the clock costs time, too:
it is measured and taken off, and has a row of its own.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console

from streamer.load.generate import generate
from streamer.load.plan import LoadPlan
from streamer_client.formats import AudioFormat
from tools.bench.live import (
    RATE,
    STAND_IN,
    UNLIMITED,
    joined,
    pcm_of,
    raise_descriptor_limit,
    recordings,
)
from tools.bench.profiled_server import TOTALS_FILE
from tools.bench.reference import positive
from tools.bench.result_files import ROOT, Row, table, write_json
from tools.bench.stage_clock import NAMES, Totals, entry_cost_s
from tools.command_line import tool_parser
from tools.harness.process import Server


@dataclass(frozen=True)
class Moment:
    """What the server has used until a moment of the load; CPU in seconds."""

    at_s: float
    user_s: float
    system_s: float
    threads_s: float
    """Of all threads but the loop's."""
    waits: int
    """How often the process has waited, for sockets or for anything else."""
    stages: dict[str, tuple[float, float]]


@contextlib.contextmanager
def profiled(engine: str) -> Iterator[tuple[str, psutil.Process, Totals]]:
    """Run a server with a stage clock; yields its address, its process and its totals."""
    program = (sys.executable, "-m", "tools.bench.profiled_server")
    config = {**STAND_IN, "limits": UNLIMITED, "vad": {"engine": engine}}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "totals"
        totals = Totals(file)
        paths = os.pathsep.join([str(ROOT), str(ROOT / "client")])
        env = {TOTALS_FILE: str(file), "PYTHONPATH": paths}
        server = Server(Path(folder), config, "--log-level", "warning", env=env, program=program)
        try:
            server.wait_ready()
            address = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
            yield address, psutil.Process(server.process.pid), totals
        finally:
            server.stop()


def moment(at_s: float, process: psutil.Process, totals: Totals) -> Moment:
    """What the server has used until now."""
    threads = {thread.id: thread for thread in process.threads()}
    loop = threads.pop(process.pid)
    others_s = sum(thread.user_time + thread.system_time for thread in threads.values())
    waits = process.num_ctx_switches().voluntary
    return Moment(at_s, loop.user_time, loop.system_time, others_s, waits, totals.read())


def stage_rows(first: Moment, last: Moment, streams: int, entry_s: float) -> list[Row]:
    """The rows of the table: each stage, what the clock itself took, and the sum."""
    audio_s = (last.at_s - first.at_s) * streams
    spent = {name: last.stages[name][0] - first.stages[name][0] for name in NAMES}
    entries = {name: last.stages[name][1] - first.stages[name][1] for name in NAMES}
    # Of each entry, the time before the clock was read is in the stage before, the rest in the
    # next one; a stage is left as often as it is entered.
    own = {name: max(0.0, spent[name] - entries[name] * entry_s) for name in NAMES}
    clock_s = sum(spent.values()) - sum(own.values())
    whole_s = sum(own.values())
    rows: list[Row] = [
        {
            "stage": name,
            "CPU ms per audio s": round(1000 * own[name] / audio_s, 3),
            "%": round(100 * own[name] / whole_s, 1),
            "entries per audio s": round(entries[name] / audio_s, 1),
        }
        for name in NAMES
    ]
    rows.append(_sum_row("all", 1000 * whole_s / audio_s))
    rows.append(_sum_row("the clock, taken off", 1000 * clock_s / audio_s))
    return rows


def _sum_row(name: str, cost_ms: float) -> Row:
    return {
        "stage": name,
        "CPU ms per audio s": round(cost_ms, 3),
        "%": None,
        "entries per audio s": None,
    }


def system_row(first: Moment, last: Moment, streams: int) -> Row:
    """What the operating system has counted, the clock's cost included."""
    audio_s = (last.at_s - first.at_s) * streams

    def ms(before_s: float, after_s: float) -> float:
        return round(1000 * (after_s - before_s) / audio_s, 3)

    return {
        "loop, user ms per audio s": ms(first.user_s, last.user_s),
        "system ms": ms(first.system_s, last.system_s),
        "other threads ms": ms(first.threads_s, last.threads_s),
        "waits per audio s": round((last.waits - first.waits) / audio_s, 2),
        "waits a second": round((last.waits - first.waits) / (last.at_s - first.at_s)),
    }


def main() -> None:
    """Play, print, write."""
    parser = tool_parser("tools.bench.loop_profile", "Where the time of the event loop goes.")
    parser.add_argument("--streams", type=positive, default=200)
    parser.add_argument("--seconds", type=positive, default=15)
    parser.add_argument("--message-ms", type=positive, default=20, help="length of a message")
    parser.add_argument("--engine", choices=("silero", "webrtc"), default="silero")
    args = parser.parse_args()
    raise_descriptor_limit()
    pcm = pcm_of(joined(recordings(None), RATE))
    moments: list[Moment] = []
    with profiled(args.engine) as (address, process, totals):
        plan = LoadPlan(
            address,
            args.streams,
            args.seconds,
            pcm,
            AudioFormat(RATE, 1, 16),
            message_s=args.message_ms / 1000,
        )

        def sample(at_s: float) -> None:
            if plan.spread_s < at_s < args.seconds:
                moments.append(moment(at_s, process, totals))

        report = generate(plan, sample)
    assert not report.unfinished, "a stream did not end"
    first, last = moments[0], moments[-1]
    rows = stage_rows(first, last, args.streams, entry_cost_s())
    system = system_row(first, last, args.streams)
    out = Console(width=max(Console().width, 120))
    title = f"{args.streams} streams, messages of {args.message_ms} ms, {args.engine}"
    out.print(table(title, rows))
    out.print(table("as the operating system counts", [system]))
    write_json("loop_profile.json", {"stages": rows, "system": system})


if __name__ == "__main__":
    main()
