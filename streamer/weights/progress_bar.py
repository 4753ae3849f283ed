"""A progress bar for work that takes longer than two seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

PATIENCE_S = 2.0
"""Seconds before a bar appears."""


@contextmanager
def slow_progress(
    console: Console, label: str, total: int, patience_s: float = PATIENCE_S
) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with each number of bytes done.

    The bar appears after ``patience_s`` seconds, and only on a terminal: it should not flash for a
    small model, and is useless in a log file.
    """
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task(label, total=total)
    started = time.monotonic()

    def advance(count: int) -> None:
        bar.advance(task, count)
        late = time.monotonic() - started >= patience_s
        if late and console.is_terminal and not bar.live.is_started:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
