"""Draws a dashboard as Grafana would lay it out, from its own queries.

Only what this repository's dashboards use is drawn: rows, stats, time series and heat maps.
"""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

from tools.docs.card import CARD, FAINT, GAP_IN, INK, UNIT_IN, WIDTH_IN, Card, Span
from tools.docs.charts import HeatCard, LinesCard
from tools.docs.units import NAMED_COLOURS, written
from tools.harness.monitoring import Panel, Prometheus

DPI = 100
COLOURS = 128
"""Colours in the palette of a picture."""

PAGE = "#f4f5f7"
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


class RowCard(Card):
    """The heading of a row of panels."""

    def draw(self, source: Prometheus, span: Span) -> None:
        """Draw the panel, with what its queries answer."""
        card = self.axes(0, 0, self.width, self.height)
        card.axis("off")
        card.text(0.0, 0.5, self.panel.title, weight="bold", size=12, va="center", ha="left")


class StatCard(Card):
    """A panel with one number."""

    def draw(self, source: Prometheus, span: Span) -> None:
        """Draw the panel, with what its queries answer."""
        (target,) = self.panel.targets
        answer = source.query(target.resolved(source.rate_interval_s), span.end_s)
        value = float(answer[0]["value"][1]) if answer else math.nan
        defaults = self.panel.model["fieldConfig"]["defaults"]
        colour = NAMED_COLOURS["blue"]
        for step in defaults["thresholds"]["steps"]:
            if step["value"] is None or value >= step["value"]:
                colour = NAMED_COLOURS[step["color"]]
        filled = self.panel.model["options"]["colorMode"] == "background"
        card = self.background(colour if filled else CARD)
        ink = "white" if filled else colour
        texts = {
            k: v["text"] for m in defaults.get("mappings", ()) for k, v in m["options"].items()
        }
        shown = texts.get(f"{value:g}") or written(value, self.panel.unit)
        middle = self.width / 2
        card.text(middle, self.height - 0.12, self.panel.title, ha="center", va="top",
                  color="white" if filled else INK, size=9)  # fmt: skip
        card.text(middle, self.height * 0.4, shown, ha="center", va="center", color=ink,
                  size=19, weight="bold")  # fmt: skip


KINDS: Mapping[str, type[RowCard | StatCard | LinesCard | HeatCard]] = {
    "row": RowCard,
    "stat": StatCard,
    "timeseries": LinesCard,
    "heatmap": HeatCard,
}
"""How each kind of Grafana's panels is drawn."""


def draw(found: Sequence[Panel], source: Prometheus, span: Span, picture: Path) -> None:
    """Draw a dashboard into a PNG file."""
    height = max(y + h for _, y, _, h in (panel.place for panel in found)) * UNIT_IN + GAP_IN
    plt.switch_backend("agg")
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor=PAGE)
        for panel in found:
            KINDS[panel.kind](panel, height).draw(source, span)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", facecolor=PAGE)
        plt.close(figure)
    # A palette makes the file a third of the size, and nothing is lost in flat colours.
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
            picture, optimize=True
        )
