"""A table on a terminal, and plain columns in a file or a pipe."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def print_table(
    console: Console, rows: Sequence[Sequence[str]], *, wrapped: str, caption: str | None = None
) -> None:
    """Print rows of text; the first row has the names of the columns.

    Args:
        console: A table is printed if it is a terminal, else plain columns.
        rows: As many cells each as there are columns.
        wrapped: The column that may take several lines on a narrow terminal.
        caption: Shown below, on a terminal.
    """
    if console.is_terminal:
        table = Table(caption=caption, caption_justify="left")
        for column in rows[0]:
            table.add_column(column, no_wrap=column != wrapped)
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table, markup=False)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.flush()
