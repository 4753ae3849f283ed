"""The results: tables for people, JSON for programs."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tools.soak.played_streams import StreamTally
from tools.soak.server_under_test import Footprint


@dataclass
class SoakRow:
    """One test of the table in `docs/reliability.md`."""

    name: str
    seconds: float
    tally: StreamTally | None = None
    errors: dict[str, int] = field(default_factory=dict)
    """Errors that clients received, by code."""
    before: Footprint | None = None
    after: Footprint | None = None
    numbers: dict[str, float] = field(default_factory=dict)
    """Other counts and measurements."""
    problems: list[str] = field(default_factory=list)
    """Promises that were not kept."""


def percentile(values: Sequence[float], percent: int) -> float:
    """Percentile (nearest rank); 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def summary(tally: StreamTally) -> dict[str, Any]:
    """The numbers of a tally."""
    return {
        "sessions": tally.sessions,
        "expected": tally.expected,
        "received": tally.received,
        "failed": dict(tally.failed),
        "lost": tally.lost,
        "refused": tally.refused,
        "hangs": tally.hangs,
        "active_ms": _spread(tally.event_ms),
        "settled_ms": _spread(tally.settled_ms),
        "probe_ms": _spread(tally.probe_ms),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {
        "median": round(statistics.median(values), 1),
        "p99": round(percentile(values, 99), 1),
        "worst": round(max(values), 1),
    }


def show(rows: Sequence[SoakRow], console: Console) -> None:
    """Print the tables."""
    streams = Table(title="streams that behave")
    streams.add_column("test", no_wrap=True)
    for column in ("sessions", "expected", "received", "reported lost", "silently lost", "hangs"):
        streams.add_column(column, justify="right")
    streams.add_column("worst gap", justify="right")
    held = Table(title="the server process, before → after")
    held.add_column("test", no_wrap=True)
    for column in ("memory, MiB", "descriptors", "tasks"):
        held.add_column(column, justify="right")
    counted_table = Table(title="errors and measurements")
    counted_table.add_column("test", no_wrap=True)
    counted_table.add_column("errors by code, and numbers", overflow="fold")
    for row in rows:
        if tally := row.tally:
            worst_ms = max(tally.settled_ms, default=0.0)
            counts = (tally.sessions, tally.expected, tally.received, tally.failed.total())
            cells = (*counts, tally.lost, tally.hangs, f"{worst_ms / 1000:.2f} s")
            streams.add_row(row.name, *map(str, cells))
        if row.before and row.after:
            pairs = zip(asdict(row.before).values(), asdict(row.after).values(), strict=True)
            held.add_row(row.name, *(f"{_plain(a)} → {_plain(b)}" for a, b in pairs))
        if counted := {**row.errors, **row.numbers}:
            parts = (f"{name} {_plain(number)}" for name, number in counted.items())
            counted_table.add_row(row.name, " · ".join(parts))
    for table in (streams, held, counted_table):
        console.print(table)
    for row in rows:
        for problem in row.problems:
            console.print(f"[red]{row.name}[/]: ", problem, markup=True, highlight=False)


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.1f}"


def write(rows: Sequence[SoakRow], path: Path) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    described = [
        {**asdict(row), "tally": summary(row.tally) if row.tally else None} for row in rows
    ]
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    path.write_text(json.dumps({"machine": machine, "tests": described}, indent=1) + "\n")
