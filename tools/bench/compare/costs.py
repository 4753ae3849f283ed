"""What both servers cost: processor time of live streams, memory of sessions, time to start."""

import resource
from collections.abc import Callable

import psutil
from rich.progress import Progress

from tools.bench.compare.checkout import Checkout
from tools.bench.compare.ratios import Figure, measure
from tools.bench.live import RATE, STAND_IN, UNLIMITED, Served, joined, recordings
from tools.harness.process import Server

STREAMS = 60
COST_SECONDS = 40.0
MEMORY_SESSIONS = 200
MEMORY_SECONDS = 15.0
IMPORT_ROUNDS = 10

COST_LIMIT = 1.02
MEMORY_LIMIT = 1.05
START_LIMIT = 1.10
"""Largest ratios of medians, this checkout over the other one."""

CONFIG = {**STAND_IN, "limits": UNLIMITED}

VERSION = """
import contextlib, runpy, sys
sys.argv = ["streamer", "--version"]
with contextlib.suppress(SystemExit):
    runpy.run_module("streamer", run_name="__main__")
"""
COUNT = "\nimport sys; print(len(sys.modules))"

Sides = tuple[Checkout, Checkout]


def compare_cost(sides: Sides, rounds: int, progress: Progress) -> list[Figure]:
    """Processor time of the server's own process for live streams, workers excluded."""
    audio = joined(recordings(None), RATE)

    def run(side: Checkout) -> list[float]:
        with side.serve(CONFIG) as server:
            played = _served(server).play(audio, RATE, STREAMS, COST_SECONDS)
        assert not played.report.unfinished, "a stream did not end"
        return [played.steady_ms(STREAMS)]

    name = f"server CPU, ms per audio s, {STREAMS} streams"
    return _measured(sides, [Figure(name, COST_LIMIT)], rounds, run, progress, "cost")


def compare_memory(sides: Sides, rounds: int, progress: Progress) -> list[Figure]:
    """Memory of the server's process for each of many sessions, idle and with live audio."""
    audio = joined(recordings(None), RATE)

    def run(side: Checkout) -> list[float]:
        with side.serve(CONFIG) as server:
            served, before = _warm(server)
            with served.idle(MEMORY_SESSIONS):
                idle = served.rss - before
        with side.serve(CONFIG) as server:
            served, before = _warm(server)
            played = served.play(audio, RATE, MEMORY_SESSIONS, MEMORY_SECONDS)
            active = played.samples[-1].rss - before
        return [idle / MEMORY_SESSIONS / 1000, active / MEMORY_SESSIONS / 1000]

    figures = [
        Figure("idle session, KB", MEMORY_LIMIT),
        Figure("active session, KB", MEMORY_LIMIT),
    ]
    return _measured(sides, figures, rounds, run, progress, "memory")


def compare_imports(sides: Sides, progress: Progress) -> list[Figure]:
    """Processor time and number of modules of an import, of a command, and until ready."""

    def run(side: Checkout) -> list[float]:
        return [
            _spent_ms(side, "import streamer"),
            _modules(side, "import streamer"),
            _spent_ms(side, VERSION),
            _modules(side, VERSION),
            1000 * _ready_cpu_s(side),
        ]

    for side in sides:  # compiles what is not compiled yet
        run(side)
    figures = [
        Figure("import streamer, CPU ms", START_LIMIT, fastest=True),
        Figure("import streamer, modules"),
        Figure("streamer --version, CPU ms", START_LIMIT, fastest=True),
        Figure("streamer --version, modules"),
        Figure("server until ready, CPU ms", START_LIMIT, fastest=True),
    ]
    return _measured(sides, figures, IMPORT_ROUNDS, run, progress, "import")


def _measured(
    sides: Sides,
    figures: list[Figure],
    rounds: int,
    run: Callable[[Checkout], list[float]],
    progress: Progress,
    what: str,
) -> list[Figure]:
    bar = progress.add_task(what, total=2 * rounds)

    def one(this: bool) -> list[float]:
        values = run(sides[0] if this else sides[1])
        progress.advance(bar)
        return values

    measure(figures, rounds, one)
    return figures


def _served(server: Server) -> Served:
    return Served(f"ws://127.0.0.1:{server.port}/api/v1/segmented", server.process.pid)


def _warm(server: Server) -> tuple[Served, int]:
    """A server that has had sessions before, and its memory after those."""
    served = _served(server)
    with served.idle(20):
        pass
    return served, served.rss


def _ready_cpu_s(side: Checkout) -> float:
    """Processor time of the server's process until it is ready."""
    with side.serve(CONFIG) as server:
        times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def _spent_ms(side: Checkout, code: str) -> float:
    """Processor time of an interpreter that runs some code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    side.run("-c", code).check_returncode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _modules(side: Checkout, code: str) -> float:
    ended = side.run("-c", code + COUNT)
    ended.check_returncode()
    return float(ended.stdout.split()[-1])
