"""`python -m tools.soak`: run the tests, print the tables, write the numbers."""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tools.command_line import tool_parser
from tools.soak.chaos import chaos
from tools.soak.churn import churn
from tools.soak.everything import everything
from tools.soak.greedy import greedy
from tools.soak.hostile import hostile
from tools.soak.markdown import tables
from tools.soak.neighbours import neighbours
from tools.soak.paused import paused
from tools.soak.soak_report import SoakRow, show, write

WHOLE_S = 600.0
"""Seconds of `everything`; the other tests are as long as they need to be beside it."""

LEAST = 0.1
"""Smallest share of its length to which a test is shortened."""

RESULTS = Path("build/results/soak.json")
TABLES = RESULTS.with_suffix(".md")

Test = Callable[[float, Callable[[float], None]], Coroutine[Any, Any, SoakRow]]
ROWS: dict[str, Test] = {
    "neighbours": neighbours,
    "greedy": greedy,
    "hostile": hostile,
    "chaos": chaos,
    "paused": paused,
    "churn": churn,
    "everything": everything,
}


def main() -> int:
    """Run the tests; the exit code is 1 when a promise was not kept."""
    parser = tool_parser("tools.soak", "Abuse a server for a while.")
    parser.add_argument("--seconds", type=float, default=WHOLE_S, help="of everything at once")
    parser.add_argument("--only", choices=ROWS, nargs="+", default=list(ROWS), help="these rows")
    args = parser.parse_args()
    console = Console()
    # Clients that misbehave write to connections that are cut off; asyncio would log each of them.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    share = max(LEAST, min(1.0, args.seconds / WHOLE_S))
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    rows: list[SoakRow] = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for name in args.only:
            task = progress.add_task(name, total=1.0)

            def done(part: float, task: TaskID = task) -> None:
                progress.update(task, completed=part)

            part = args.seconds / WHOLE_S if name == "everything" else share
            rows.append(asyncio.run(ROWS[name](part, done)))
            write(rows, RESULTS)
            done(1.0)
    show(rows, console)
    TABLES.write_text("\n".join(tables(RESULTS).values()))
    console.print(f"written to {RESULTS} and {TABLES}")
    return 1 if any(row.problems for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
