"""A progress bar for work that takes longer than a moment."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

PATIENCE = 2.0


@contextmanager
def slow_progress(
    console: Console, label: str, total: int, patience: float = PATIENCE
) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with each number of bytes done.

    A bar appears once ``patience`` seconds have passed, and only on a terminal: the check of a
    small model should not flash one, and a log file has no use for any.
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
        late = time.monotonic() - started >= patience
        if late and console.is_terminal and not bar.live.is_started:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
