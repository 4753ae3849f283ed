"""Draws a dashboard as Grafana would lay it out, from its own queries.

Only what this repository's dashboards use is drawn: rows, stats, time series and heat maps.
"""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from PIL import Image

from tools.harness.monitoring import Panel, Prometheus, Series

WIDTH_IN, DPI = 14.0, 100
UNIT_IN = 0.33
"""Height of one unit of Grafana's grid."""

COLUMNS = 24
GAP_IN = 0.12
TITLE_IN, LEGEND_IN, AXIS_IN, LEFT_IN = 0.28, 0.17, 0.26, 0.62
POINTS = 240
COLOURS = 128
MOST_NAMES = 4
"""Where there are more, only those that are ever above zero are shown."""


INK, FAINT, PAGE, CARD = "#22252b", "#8e95a3", "#f4f5f7", "#ffffff"
NAMED = {"green": "#3f9b46", "yellow": "#d99a1c", "red": "#d1404a", "blue": "#2f6fd0"}
LINES = (
    "#2f6fd0", "#e07b39", "#3f9b46", "#b04fc4", "#d1404a", "#1e9c9c", "#8a6d3b", "#6b7280",
)  # fmt: skip
STYLE = {
    "font.size": 8.5,
    "axes.edgecolor": "#d5d8de",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "axes.grid": True,
    "grid.color": "#eceef1",
    "axes.axisbelow": True,
}


class Span:
    """The time that is shown, in Unix seconds."""

    def __init__(self, start_s: float, end_s: float) -> None:
        self.start_s = start_s
        self.end_s = end_s

    @property
    def step_s(self) -> float:
        """Between two points of a line."""
        return round((self.end_s - self.start_s) / POINTS, 3)  # Prometheus counts milliseconds

    @property
    def points(self) -> list[float]:
        """The points of a line on the time axis, in minutes."""
        return [n * self.step_s / 60 for n in range(POINTS + 1)]

    def minutes(self, at_s: float) -> float:
        """Where a moment is on the time axis."""
        return (at_s - self.start_s) / 60


def draw(found: Sequence[Panel], source: Prometheus, span: Span, picture: Path) -> None:
    """Draw a dashboard into a PNG file."""
    height = max(y + h for _, y, _, h in (panel.place for panel in found)) * UNIT_IN + GAP_IN
    plt.switch_backend("agg")
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor=PAGE)
        for panel in found:
            _Card(panel, height).draw(source, span)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", facecolor=PAGE)
        plt.close(figure)
    # A palette makes the file a third of the size, and nothing is lost in flat colours.
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
            picture, optimize=True
        )


class _Card:
    """One panel in its place on the current figure."""

    def __init__(self, panel: Panel, page_height: float) -> None:
        self.panel = panel
        self.page_height = page_height
        x, y, w, h = panel.place
        unit = (WIDTH_IN - GAP_IN) / COLUMNS
        self.left = GAP_IN + x * unit
        self.width = w * unit - GAP_IN
        self.height = h * UNIT_IN - GAP_IN
        self.bottom = page_height - y * UNIT_IN - h * UNIT_IN

    def draw(self, source: Prometheus, span: Span) -> None:
        kind: Callable[[Prometheus, Span], None] = {
            "row": self._row,
            "stat": self._stat,
            "timeseries": self._lines,
            "heatmap": self._heat,
        }[self.panel.kind]
        kind(source, span)

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Inches from the card's lower left corner."""
        return plt.gcf().add_axes(
            (
                (self.left + left) / WIDTH_IN,
                (self.bottom + bottom) / self.page_height,
                width / WIDTH_IN,
                height / self.page_height,
            )
        )

    def _background(self, colour: str = CARD) -> Axes:
        card = self._axes(0, 0, self.width, self.height)
        card.set(xlim=(0, self.width), ylim=(0, self.height))
        card.axis("off")
        box = FancyBboxPatch(
            (0.02, 0.02), self.width - 0.04, self.height - 0.04,
            boxstyle="round,pad=0,rounding_size=0.05", facecolor=colour,
            edgecolor="#e1e4e8", linewidth=0.8,
        )  # fmt: skip
        card.add_patch(box)
        return card

    def _titled(self) -> None:
        card = self._background()
        card.text(0.12, self.height - 0.1, self.panel.title, va="top", weight="bold", size=9)

    def _row(self, source: Prometheus, span: Span) -> None:
        card = self._axes(0, 0, self.width, self.height)
        card.axis("off")
        card.text(0.0, 0.5, self.panel.title, weight="bold", size=12, va="center", ha="left")

    def _stat(self, source: Prometheus, span: Span) -> None:
        (target,) = self.panel.targets
        answer = source.query(target.resolved(source.rate_interval_s), span.end_s)
        value = float(answer[0]["value"][1]) if answer else math.nan
        defaults = self.panel.model["fieldConfig"]["defaults"]
        colour = NAMED["blue"]
        for step in defaults["thresholds"]["steps"]:
            if step["value"] is None or value >= step["value"]:
                colour = NAMED[step["color"]]
        filled = self.panel.model["options"]["colorMode"] == "background"
        card = self._background(colour if filled else CARD)
        ink = "white" if filled else colour
        texts = {
            k: v["text"] for m in defaults.get("mappings", ()) for k, v in m["options"].items()
        }
        shown = texts.get(f"{value:g}") or _written(value, self.panel.unit)
        middle = self.width / 2
        card.text(middle, self.height - 0.12, self.panel.title, ha="center", va="top",
                  color="white" if filled else INK, size=9)  # fmt: skip
        card.text(middle, self.height * 0.4, shown, ha="center", va="center", color=ink,
                  size=19, weight="bold")  # fmt: skip

    def _lines(self, source: Prometheus, span: Span) -> None:
        self._titled()
        series = self._series(source, span)
        columns, rows = self._legend_grid(series)
        bottom = AXIS_IN + rows * LEGEND_IN
        axes = self._axes(LEFT_IN, bottom, self.width - LEFT_IN - 0.15,
                          self.height - bottom - TITLE_IN - 0.08)  # fmt: skip
        custom = self.panel.model["fieldConfig"]["defaults"]["custom"]
        if custom["stacking"]["mode"] == "normal":
            self._stacked(axes, series, span, bars=custom["drawStyle"] == "bars")
        else:
            for number, (name, values) in enumerate(series.items()):
                axes.plot(span.points, values, color=_colour(number), linewidth=1.5, label=name)
        if custom["scaleDistribution"]["type"] == "log":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(numticks=6))
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.yaxis.set_major_locator(MaxNLocator(5))
            axes.set_ylim(bottom=0)
        self._threshold(axes)
        self._exemplars(axes, source, span)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _written(v, self.panel.unit)))
        self._time_axis(axes, span)
        if series:
            axes.legend(
                loc="upper left", bbox_to_anchor=(-0.03, -AXIS_IN / _inches(axes)), frameon=False,
                ncols=columns, fontsize=7.5, handlelength=1.0, columnspacing=1.0,
                handletextpad=0.4, borderaxespad=0.2, labelspacing=0.3,
            )  # fmt: skip
        else:
            axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color=FAINT)

    def _legend_grid(self, series: Mapping[str, list[float]]) -> tuple[int, int]:
        """Columns and rows, so that the names fit below the graph."""
        marked = self.panel.model["targets"][0].get("exemplar")
        names = [*series, *(["one segment"] if marked else [])]
        longest_in = 0.45 + 0.078 * max(map(len, names), default=0)
        columns = max(1, int((self.width - LEFT_IN) / longest_in))
        return columns, max(1, math.ceil(len(names) / columns))

    def _series(self, source: Prometheus, span: Span) -> dict[str, list[float]]:
        found = {}
        for target in self.panel.targets:
            query = target.resolved(source.rate_interval_s)
            for series in source.query_range(query, span.start_s, span.end_s, span.step_s):
                # Where nothing was there, a gap; Prometheus leaves out what it has not.
                values = [math.nan] * (POINTS + 1)
                for at, value in series["values"]:
                    values[round((at - span.start_s) / span.step_s)] = float(value)
                found[_legend(target.legend, series)] = values
        if len(found) > MOST_NAMES:
            return {name: values for name, values in found.items() if np.nansum(values) > 0}
        return found

    def _stacked(
        self,
        axes: Axes,
        series: Mapping[str, list[float]],
        span: Span,
        *,
        bars: bool,
    ) -> None:
        if not series:
            return
        rows = np.nan_to_num(list(series.values()))
        colours = [_colour(n) for n in range(len(series))]
        if bars:
            base = np.zeros(POINTS + 1)
            width = span.step_s / 60
            for row, name, colour in zip(rows, series, colours, strict=True):
                axes.bar(span.points, row, bottom=base, width=width, color=colour, label=name)
                base = base + row
        else:
            axes.stackplot(span.points, rows, labels=list(series), colors=colours, alpha=0.75)

    def _threshold(self, axes: Axes) -> None:
        defaults = self.panel.model["fieldConfig"]["defaults"]
        for step in defaults.get("thresholds", {"steps": ()})["steps"]:
            # Far above everything, the limit would flatten what is to be seen.
            highest = math.inf if axes.get_yscale() == "log" else 3 * axes.get_ylim()[1]
            if step["value"] is not None and step["value"] <= highest:
                axes.axhline(step["value"], color=NAMED["red"], linestyle="--", linewidth=0.9)

    def _exemplars(self, axes: Axes, source: Prometheus, span: Span) -> None:
        if not self.panel.model["targets"][0].get("exemplar"):
            return
        names = set(re.findall(r"\w+_bucket", self.panel.targets[0].query))
        points = [
            (span.minutes(float(point["timestamp"])), float(point["value"]))
            for name in names
            for series in source.exemplars(name, span.start_s, span.end_s)
            for point in series["exemplars"]
        ]
        if points:
            times, values = zip(*points, strict=True)
            axes.scatter(times, values, marker="D", s=7, color=INK, alpha=0.55, linewidths=0,
                         label="one segment", zorder=3)  # fmt: skip

    def _heat(self, source: Prometheus, span: Span) -> None:
        self._titled()
        axes = self._axes(LEFT_IN, AXIS_IN + 0.1, self.width - LEFT_IN - 0.15,
                          self.height - AXIS_IN - 0.1 - TITLE_IN - 0.08)  # fmt: skip
        # One column for each window of the rate: none is counted twice.
        step_s = source.rate_interval_s
        (target,) = self.panel.targets
        answer = source.query_range(target.resolved(step_s), span.start_s, span.end_s, step_s)
        edges, counts = _buckets(answer, span, step_s)
        if counts.size:
            moments = [n * step_s / 60 for n in range(counts.shape[1] + 1)]
            used = np.flatnonzero(counts.sum(axis=1))
            first, last = (used.min(), used.max()) if used.size else (0, len(counts) - 1)
            shown = np.ma.masked_less(counts[first : last + 1], 0.05)
            axes.pcolormesh(
                moments,
                np.arange(first, last + 2),
                shown,
                cmap="Oranges",
                norm=PowerNorm(0.5, vmin=0),
            )
            ticks = range(first, last + 2, max(1, (last - first) // 6))
            axes.yaxis.set_major_locator(FixedLocator(list(ticks)))
            labels = [_written(edges[tick], self.panel.unit) for tick in ticks]
            axes.set_yticklabels(labels)
        self._time_axis(axes, span)

    def _time_axis(self, axes: Axes, span: Span) -> None:
        end = span.minutes(span.end_s)
        axes.set_xlim(0, end)
        axes.set_xticks(range(int(end) + 1))
        axes.set_xticklabels([f"{minute} min" if minute else "0" for minute in range(int(end) + 1)])
        axes.tick_params(length=0, labelsize=7.5)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)


def _inches(axes: Axes) -> float:
    return axes.get_position().height * plt.gcf().get_figheight()


def _buckets(answer: list[Series], span: Span, step_s: float) -> tuple[list[float], np.ndarray]:
    """Edges [n + 1] of the buckets, and how many fell into each [n, moments]."""
    ordered = sorted(answer, key=lambda series: float(series["metric"]["le"]))
    moments = int((span.end_s - span.start_s) / step_s) + 1
    below = np.zeros((len(ordered), moments))
    for row, series in enumerate(ordered):
        for at, value in series["values"]:
            below[row, round((float(at) - span.start_s) / step_s)] = float(value)
    counts = np.diff(below, axis=0, prepend=0).clip(min=0)
    return [0.0, *(float(series["metric"]["le"]) for series in ordered)], counts


def _legend(pattern: str, series: Series) -> str:
    named = re.sub(r"{{(\w+)}}", lambda found: series["metric"].get(found[1], ""), pattern)
    return re.sub(r"127\.0\.0\.1:\d+", "server:8080", named)


def _colour(number: int) -> str:
    return LINES[number % len(LINES)]


def _written(value: float, unit: str) -> str:
    """A number with its unit, as Grafana writes them."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    match unit:
        case "s":
            return f"{value * 1000:.3g} ms" if 0 < value < 1 else f"{value:.3g} s"
        case "percentunit":
            return f"{value * 100:.3g} %"
        case "bytes" | "Bps":
            size, prefix = value, ""
            for larger in ("k", "M", "G"):
                if size >= 1000:
                    size, prefix = size / 1000, larger
            return f"{size:.3g} {prefix}B" + ("/s" if unit == "Bps" else "")
        case "cps":
            return f"{value:.3g}/s"
        case _:
            return f"{value:.6g}" if value >= 1000 else f"{value:.3g}"
