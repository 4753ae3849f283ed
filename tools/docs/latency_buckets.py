"""Percentiles from the buckets of a histogram, and the picture of where they come from."""

import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from prometheus_client import Histogram

from streamer.telemetry.metrics import LATENCIES_S
from tools.docs.book_style import FAULT, INK, LINE, NARROW_IN

NUMBER, SEED = 20_000, 0

CHOICES: Mapping[str, Sequence[float]] = {
    "the library's": [bound for bound in Histogram.DEFAULT_BUCKETS if bound < float("inf")],
    "powers of ten": (0.01, 0.1, 1, 10),
    "ours": LATENCIES_S,
}
"""Bounds in seconds."""

STYLES = {"the library's": ("--", INK), "powers of ten": (":", FAULT), "ours": ("-", LINE)}
"""Of the lines, and their colours."""

WIDE = "#c3cad6"

FROM_S, TO_S = 0.3, 1.1
"""What the picture shows."""


def latencies_s() -> list[float]:
    """Like those of this server, sorted: the pause, and a little that is seldom long."""
    chance = random.Random(SEED)
    return sorted(0.576 + chance.expovariate(1 / 0.06) for _ in range(NUMBER))


def from_buckets(values: Sequence[float], bounds: Sequence[float], share: float) -> float:
    """The percentile as Prometheus computes it: a line within the bucket.

    Args:
        values: Sorted.
        bounds: Of the buckets; all values are below the last one.
        share: From 0 to 1.
    """
    counts = [bisect_left(values, bound) for bound in bounds]
    wanted = share * len(values)
    above = bisect_left(counts, wanted)
    low, below = (bounds[above - 1], counts[above - 1]) if above else (0.0, 0)
    return low + (bounds[above] - low) * (wanted - below) / (counts[above] - below)


def percentiles_from_buckets() -> Figure:
    """The latencies, and what is left of them in each choice of buckets."""
    values = latencies_s()
    figure = Figure(figsize=(NARROW_IN, 3.6), layout="constrained")
    axes = figure.subplots()
    shares = 100 * np.arange(1, NUMBER + 1) / NUMBER
    axes.plot(values, shares, color=WIDE, linewidth=6, label="exact")
    for name, bounds in CHOICES.items():
        corners = [0.0, *bounds]
        counts = [100 * bisect_left(values, corner) / NUMBER for corner in corners]
        style, colour = STYLES[name]
        axes.plot(corners, counts, style, color=colour, marker="o", markersize=4, label=name)
    for share in (50, 95):
        axes.axhline(share, color="grey", linewidth=0.7)
    axes.set(xlim=(FROM_S, TO_S), ylim=(0, 103), xlabel="latency, seconds")
    axes.set_ylabel("finals that took at most as long, %")
    axes.set_yticks([0, 25, 50, 75, 95])
    axes.legend(loc="upper left")
    return figure
