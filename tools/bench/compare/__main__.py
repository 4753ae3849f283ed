"""Compare this checkout of the server with another one of the same project.

    make compare WITH=../before
    python -m tools.bench.compare --with ../before [--rounds 3] [--audio FOLDER]
                                  [--only events cost memory import] [--this FOLDER]

Each checkout has its own `.venv/bin/python` and its own weights, and is started from there; the
other one may be older, with other modules. Four parts:

- `events`: every recording through both servers, on the WebSockets and in requests, whole and in
  random cuts, and wrong messages and requests. The answers have to be equal byte for byte, except
  ids, durations and the date.
- `cost`: processor time of the server's process for 60 live streams, with a model that costs
  nothing.
- `memory`: of an idle session, and of one with live audio.
- `import`: processor time and modules of `import streamer`, of `streamer --version`, and
  processor time until a server is ready.

The last three measure both sides in turn, and compare the medians; of the processor time of a
start, the fastest runs. Exit code: 0 equal and within
the limits, 1 not, 2 wrong usage.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools.bench.compare.checkout import Checkout, NoCheckout
from tools.bench.compare.costs import compare_cost, compare_imports, compare_memory
from tools.bench.compare.event_comparison import ComparisonOutcome, compare_events
from tools.bench.compare.ratios import COLUMNS, Figure
from tools.bench.live import raise_descriptor_limit
from tools.bench.reference import positive
from tools.command_line import tool_parser

ROOT = Path(__file__).parents[3]
PARTS = ("events", "cost", "memory", "import")
SHOWN = 10
"""Differences that are printed."""

LONGEST = 500
"""Characters of a line that are printed."""


def events_table(outcome: ComparisonOutcome) -> Table:
    """A row for each kind of check."""
    table = Table(title="answers, byte for byte")
    for column in ("sent", "exchanges", "equal", "equal events and lines"):
        table.add_column(column, justify="left" if column == "sent" else "right")
    for kind, row in outcome.rows.items():
        table.add_row(kind, str(row.checks), str(row.equal), str(row.lines))
    rows = outcome.rows.values()
    table.add_section()
    table.add_row("all", *(str(sum(getattr(row, n) for row in rows)) for n in _COUNTED))
    return table


_COUNTED = ("checks", "equal", "lines")


def differences_text(outcome: ComparisonOutcome) -> str:
    """The first differences in full, and the number of the others."""
    if not outcome.differences:
        return "no difference"
    lines = [f"{len(outcome.differences)} exchanges differ:"]
    for check, found in outcome.differences[:SHOWN]:
        lines += [
            f"  {check.kind}: {check.name} ({found.part}, line {found.index + 1})",
            f"    this:  {found.this[:LONGEST]}",
            f"    other: {found.other[:LONGEST]}",
        ]
    if len(outcome.differences) > SHOWN:
        lines.append(f"  and {len(outcome.differences) - SHOWN} more")
    return "\n".join(lines)


def figures_table(figures: list[Figure]) -> Table:
    """A row for each figure."""
    table = Table(title="this checkout over the other one: medians, or the fastest")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("figure", "rounds") else "right")
    for figure in figures:
        table.add_row(*figure.row())
    return table


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(
        "tools.bench.compare",
        "Compare this checkout of the server with another one.",
    )
    parser.add_argument(
        "--with", dest="other", type=Path, required=True, metavar="FOLDER", help="the other one"
    )
    parser.add_argument(
        "--this", type=Path, default=ROOT, metavar="FOLDER", help="instead of this checkout"
    )
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json, for events")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    parser.add_argument("--rounds", type=positive, default=3, help="of cost and memory")
    parser.add_argument("--cuts", type=positive, default=2, help="random ones of each recording")
    parser.add_argument("--seed", type=int, default=0, help="of the random cuts")
    args = parser.parse_args()
    if args.audio is not None and not (args.audio / "manifest.json").is_file():
        parser.error(f"{args.audio} has no manifest.json")
    return args


def main() -> int:
    """Compare, print; returns the exit code."""
    args = arguments()
    sides = (Checkout("this", args.this.resolve()), Checkout("other", args.other.resolve()))
    try:
        for side in sides:
            side.check()
    except NoCheckout as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    raise_descriptor_limit()
    figures: list[Figure] = []
    outcome: ComparisonOutcome | None = None
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        if "events" in args.only:
            outcome = compare_events(sides, args.audio, args.seed, args.cuts, progress)
        if "cost" in args.only:
            figures += compare_cost(sides, args.rounds, progress)
        if "memory" in args.only:
            figures += compare_memory(sides, args.rounds, progress)
        if "import" in args.only:
            figures += compare_imports(sides, progress)
    out = Console(width=max(Console().width, 150))
    print("\n".join(f"{side.label}: {side.folder}" for side in sides))
    if outcome is not None:
        out.print(events_table(outcome))
        print(differences_text(outcome))
    if figures:
        out.print(figures_table(figures))
    failed = bool(outcome and outcome.differences) or not all(f.passed for f in figures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
