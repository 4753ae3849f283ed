"""The picture of the tasks of a session: who owns which, and in which order they end."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tools.docs.book_style import FAULT, INK, NARROW_IN, PALE, SPEECH
from tools.docs.session_tasks import BODY, ENDS, Outcome, SeenTask, tasks_of

COLOURS: Mapping[Outcome, tuple[str, str]] = {
    "returns": (PALE, "black"),
    "raises": (FAULT, "white"),
    "cancelled": (SPEECH, "black"),
}
"""Of a cell, and of the text in it."""

LEFT = -2.1
"""Where the tree begins, in columns of the table beside it."""


def tasks_of_a_session() -> Figure:
    """The tree of the tasks, and in which order they end."""
    columns = [tasks_of(end) for end in ENDS]
    rows = columns[0]
    figure = Figure(figsize=(NARROW_IN, 3.4), layout="constrained")
    axes = figure.subplots()
    for row, task in enumerate(rows):
        depth = _depth(task)
        axes.text(LEFT + 0.18 * depth, row + 0.5, task.name, va="center", size=9.5,
                  style="italic" if task.name == BODY else "normal")  # fmt: skip
        if depth:
            _draw_branch(axes, rows, row)
    for column, tasks in enumerate(columns):
        turns = sorted({task.turn for task in tasks})
        # The task in which it happened: others may be cancelled before it ends.
        cause = min((t for t in tasks if t.outcome != "cancelled"), key=lambda each: each.turn)
        for row, task in enumerate(tasks):
            colour, ink = COLOURS[task.outcome]
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="white"))
            text = f"{turns.index(task.turn) + 1}  {task.outcome}"
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=9.5,
                      color=ink, weight="bold" if task is cause else "normal")  # fmt: skip
    axes.set(xlim=(LEFT - 0.05, len(ENDS)), ylim=(len(rows), 0))
    axes.set_xticks([column + 0.5 for column in range(len(ENDS))], [end.title for end in ENDS])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=9.5)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return figure


def _depth(task: SeenTask) -> int:
    return 0 if task.owner is None else 1 + _depth(task.owner)


def _draw_branch(axes: Axes, rows: Sequence[SeenTask], row: int) -> None:
    """The line from the owner of a task to it."""
    at = LEFT + 0.18 * _depth(rows[row]) - 0.12
    first = next(i for i, task in enumerate(rows) if task is rows[row].owner)
    axes.plot([at, at, at + 0.08], [first + 0.8, row + 0.5, row + 0.5], color=INK, linewidth=0.8)
