"""A panel's place on the picture, its frame, its title and its time axis."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from tools.harness.monitoring import Panel

WIDTH_IN = 14.0
"""Inches, of the picture."""

UNIT_IN = 0.33
"""Inches; height of one unit of Grafana's grid."""

COLUMNS = 24
"""Units of Grafana's grid in the width of the picture."""

GAP_IN = 0.12
"""Inches between two panels."""

TITLE_IN, AXIS_IN, LEFT_IN = 0.28, 0.26, 0.62
"""Inches in a card: height of its title, height of its time axis, width of its values."""

POINTS = 240
"""Points of a line, less one."""

INK, FAINT, CARD = "#22252b", "#8e95a3", "#ffffff"


class Span:
    """The time that is shown, in Unix seconds."""

    def __init__(self, start_s: float, end_s: float) -> None:
        self.start_s = start_s
        self.end_s = end_s

    @property
    def step_s(self) -> float:
        """Seconds between two points of a line."""
        return round((self.end_s - self.start_s) / POINTS, 3)  # Prometheus counts milliseconds

    @property
    def points(self) -> list[float]:
        """The points of a line on the time axis, in minutes."""
        return [n * self.step_s / 60 for n in range(POINTS + 1)]

    def minutes(self, at_s: float) -> float:
        """The place of a moment on the time axis, in minutes."""
        return (at_s - self.start_s) / 60


class Card:
    """One panel in its place on the current figure. All sizes in inches."""

    def __init__(self, panel: Panel, page_height: float) -> None:
        self.panel = panel
        self.page_height = page_height
        x, y, w, h = panel.place
        unit = (WIDTH_IN - GAP_IN) / COLUMNS
        self.left = GAP_IN + x * unit
        self.width = w * unit - GAP_IN
        self.height = h * UNIT_IN - GAP_IN
        self.bottom = page_height - y * UNIT_IN - h * UNIT_IN

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """New axes on the card, in inches from its lower left corner."""
        return plt.gcf().add_axes(
            (
                (self.left + left) / WIDTH_IN,
                (self.bottom + bottom) / self.page_height,
                width / WIDTH_IN,
                height / self.page_height,
            )
        )

    def background(self, colour: str = CARD) -> Axes:
        """Draw the card; returns axes in inches."""
        card = self.axes(0, 0, self.width, self.height)
        card.set(xlim=(0, self.width), ylim=(0, self.height))
        card.axis("off")
        box = FancyBboxPatch(
            (0.02, 0.02), self.width - 0.04, self.height - 0.04,
            boxstyle="round,pad=0,rounding_size=0.05", facecolor=colour,
            edgecolor="#e1e4e8", linewidth=0.8,
        )  # fmt: skip
        card.add_patch(box)
        return card

    def add_title(self) -> None:
        """Draw the background and the panel's title."""
        card = self.background()
        card.text(0.12, self.height - 0.1, self.panel.title, va="top", weight="bold", size=9)

    def add_time_axis(self, axes: Axes, span: Span) -> None:
        """Show minutes below a graph."""
        end = span.minutes(span.end_s)
        axes.set_xlim(0, end)
        axes.set_xticks(range(int(end) + 1))
        axes.set_xticklabels([f"{minute} min" if minute else "0" for minute in range(int(end) + 1)])
        axes.tick_params(length=0, labelsize=7.5)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
