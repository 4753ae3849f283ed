"""The picture of a stream as a trace: one row a span."""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tools.docs.book_style import FAULT, LINE, NARROW_IN, SPEECH
from tools.docs.stream_trace import TracedSpan, traced_stream

LEAST_S = 0.02
"""Seconds as which a span without length is drawn."""


def spans_of_a_stream() -> Figure:
    """From the session to the attempts of a worker."""
    spans = traced_stream()
    figure = Figure(figsize=(NARROW_IN, 3.4), layout="constrained")
    axes = figure.subplots()
    for row, span in enumerate(spans):
        spent_s = max(LEAST_S, span.ended_s - span.begun_s)
        axes.barh(row, spent_s, 0.6, span.begun_s, color=_colour(span))
        if span.inactive_s is not None:
            axes.plot([span.inactive_s] * 2, [row - 0.42, row + 0.42], color="black", linewidth=1.2)
    names = [f"{'    ' * span.depth}{span.name}" for span in spans]
    axes.set_yticks(range(len(spans)), names, ha="left")
    axes.tick_params(axis="y", length=0, pad=95)
    axes.set(ylim=(len(spans) - 0.5, -0.6), xlabel="seconds", xlim=(0, spans[0].ended_s))
    axes.grid(axis="x", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(
        handles=[
            Patch(color=SPEECH, label="server"),
            Patch(color=LINE, label="worker"),
            Patch(color=FAULT, label="worker, died"),
            Line2D([], [], color="black", linewidth=1.2, label="inactive"),
        ],
        ncols=4, loc="upper center", bbox_to_anchor=(0.34, -0.18), frameon=False,
        columnspacing=1.2, handlelength=1.3,
    )  # fmt: skip
    return figure


def _colour(span: TracedSpan) -> str:
    if span.failed:
        return FAULT
    return LINE if span.name == "inference" else SPEECH
