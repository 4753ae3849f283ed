"""The graphs in a panel: lines, stacked areas and bars, and heat maps."""

import math
import re
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from tools.docs.card import AXIS_IN, FAINT, INK, LEFT_IN, POINTS, TITLE_IN, Card, Span
from tools.docs.units import NAMED_COLOURS, colour_of, series_name, written
from tools.harness.monitoring import Prometheus, Series

LEGEND_IN = 0.17
"""Inches; height of one row of the legend."""

MOST_NAMES = 4
"""Where there are more series, only those that are ever above zero are shown."""


class LinesCard(Card):
    """A time series panel."""

    def draw(self, source: Prometheus, span: Span) -> None:
        """Draw the panel, with what its queries answer."""
        self.add_title()
        series = self._series(source, span)
        columns, rows = self._legend_grid(series)
        bottom = AXIS_IN + rows * LEGEND_IN
        axes = self.axes(LEFT_IN, bottom, self.width - LEFT_IN - 0.15,
                          self.height - bottom - TITLE_IN - 0.08)  # fmt: skip
        custom = self.panel.model["fieldConfig"]["defaults"]["custom"]
        if custom["stacking"]["mode"] == "normal":
            self._stacked(axes, series, span, bars=custom["drawStyle"] == "bars")
        else:
            for number, (name, values) in enumerate(series.items()):
                axes.plot(span.points, values, color=colour_of(number), linewidth=1.5, label=name)
        if custom["scaleDistribution"]["type"] == "log":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(numticks=6))
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.yaxis.set_major_locator(MaxNLocator(5))
            axes.set_ylim(bottom=0)
        self._threshold(axes)
        self._exemplars(axes, source, span)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: written(v, self.panel.unit)))
        self.add_time_axis(axes, span)
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
                found[series_name(target.legend, series, source.servers)] = values
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
        colours = [colour_of(n) for n in range(len(series))]
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
                axes.axhline(
                    step["value"], color=NAMED_COLOURS["red"], linestyle="--", linewidth=0.9
                )

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


class HeatCard(Card):
    """A heat map panel."""

    def draw(self, source: Prometheus, span: Span) -> None:
        """Draw the panel, with what its queries answer."""
        self.add_title()
        axes = self.axes(LEFT_IN, AXIS_IN + 0.1, self.width - LEFT_IN - 0.15,
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
            labels = [written(edges[tick], self.panel.unit) for tick in ticks]
            axes.set_yticklabels(labels)
        self.add_time_axis(axes, span)


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
