"""Rows of figures: percentiles, tables for people, and where the files of results are."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "build/results"

Row = dict[str, object]
"""Figures by their names; the names are the columns of a table."""


def percentiles(values: Sequence[float]) -> Row:
    """The 50th, 95th and 99th percentile of milliseconds, rounded; None without values."""
    if not values:
        return {"p50": None, "p95": None, "p99": None}
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return {"p50": round(float(p50)), "p95": round(float(p95)), "p99": round(float(p99))}


def table(title: str, rows: Sequence[Row]) -> Table:
    """A table with a column for each figure of the first row."""
    made = Table(title=title)
    for column in rows[0]:
        made.add_column(column, justify="right")
    for row in rows:
        made.add_row(*map(cell, row.values()))
    return made


def cell(value: object) -> str:
    """A figure, list or text as people read it; of a mean with its error, both."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case list():
            return ", ".join(map(cell, value))
        case {"mean": float(mean), "standard error": error}:
            places = 3 if abs(mean) <= 1 else 2
            return f"{mean:.{places}f}" + ("" if error is None else f" ± {error:.{places}f}")
        case _:
            return str(value)


def write_json(name: str, results: Mapping[str, object]) -> Path:
    """Write results into the folder of results; returns the file."""
    file = RESULTS / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=2) + "\n")
    return file
