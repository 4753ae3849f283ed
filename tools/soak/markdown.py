"""The numbers as the tables of `docs/reliability.md`, to be pasted there."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Result = dict[str, Any]


def tables(path: Path) -> dict[str, str]:
    """Of a file of results, as `report.py` writes it: of all tests, and of each by its name."""
    results: list[Result] = json.loads(path.read_text())["tests"]
    return {
        "streams that behave": _streams([result for result in results if result["tally"]]),
        "the server process": _process(results),
        **{result["name"]: _numbers(result) for result in results if result["numbers"]},
    }


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def _streams(results: list[Result]) -> str:
    head = (
        *("streams that behave", "sessions", "segments expected", "received", "reported as lost"),
        *("lost", "hung", "worst gap"),
    )
    rows = []
    for result in results:
        tally = result["tally"]
        worst_s = tally["settled_ms"].get("worst", 0) / 1000
        failed = sum(tally["failed"].values())
        counts = (tally["sessions"], tally["expected"], tally["received"], failed)
        rows.append((result["name"], *counts, tally["lost"], tally["hangs"], f"{worst_s:.1f} s"))
    return _table(head, rows)


def _process(results: list[Result]) -> str:
    head = ("the server process", "seconds", "memory, MiB", "descriptors", "tasks")
    rows = []
    for result in results:
        before, after = result["before"], result["after"]
        pairs = (
            f"{before['memory_mb']:.0f} → {after['memory_mb']:.0f}",
            f"{before['descriptors']} → {after['descriptors']}",
            f"{before['tasks']} → {after['tasks']}",
        )
        rows.append((result["name"], round(result["seconds"]), *pairs))
    return _table(head, rows)


def _numbers(result: Result) -> str:
    """The numbers of one test; `eight channels: MiB` names a row and a column."""
    numbers: dict[str, float] = result["numbers"]
    if all(": " in name for name in numbers):
        cells = {tuple(name.split(": ", 1)): number for name, number in numbers.items()}
        rows, columns = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
        return _table(
            (result["name"], *columns),
            ((row, *(_plain(cells[row, column]) for column in columns)) for row in rows),
        )
    errors = {f"error `{code}`": count for code, count in result["errors"].items()}
    counted = {**numbers, **errors}.items()
    return _table((result["name"], ""), ((name, _plain(number)) for name, number in counted))


def _plain(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ") if number >= 100 else f"{number:g}"
