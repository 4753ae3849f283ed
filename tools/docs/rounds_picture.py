"""The picture of two settings in twenty rounds: what one round says, and what all of them say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tools.bench.reference import standard_error
from tools.docs.book_style import FAULT, INK, LINE, NARROW_IN, PALE, SPEECH

ROUNDS = Path(__file__).parents[2] / "docs/performance/rounds.json"
"""Published from `make accuracy-rounds`."""

ABOVE: Mapping[str, Any] = {
    "loc": "lower center",
    "bbox_to_anchor": (0.5, 0.98),
    "frameon": False,
    "fontsize": 9.5,
}
"""Where a legend is: above its panel."""


def published_rounds() -> dict[str, list[float]]:
    """Word error rates in percent, of each round, by the name of the setting; two of them."""
    rows = json.loads(ROUNDS.read_text())["rounds"]
    return {name: [row[name] for row in rows] for name in rows[0] if name != "round"}


def rounds_of_two_settings() -> Figure:
    """The rounds, and the mean difference so far with its standard error."""
    rates = published_rounds()
    first, second = rates.values()
    differences = np.subtract(first, second)
    numbers = np.arange(1, len(differences) + 1)
    figure = Figure(figsize=(NARROW_IN, 4.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.vlines(numbers, first, second, color=PALE, linewidth=3, zorder=0)
    for (name, found), colour, marker in zip(rates.items(), (FAULT, LINE), "so", strict=True):
        above.plot(numbers, found, marker, color=colour, markersize=5, label=name)
    above.set_ylabel("words wrong, %")
    above.legend(ncols=2, **ABOVE)
    means = np.cumsum(differences) / numbers
    for errors, colour, label in (
        (np.hypot(_errors(first), _errors(second)), PALE, "± error of two apart"),
        (_errors(differences.tolist()), SPEECH, "± error of pairs"),
    ):
        below.fill_between(numbers[1:], means[1:] - errors, means[1:] + errors, color=colour,
                           linewidth=0, label=label)  # fmt: skip
    below.plot(numbers, means, color=INK, marker="o", markersize=3, label="mean so far")
    below.axhline(0, color="grey", linewidth=0.8)
    below.set(xlabel="rounds", ylabel="difference, points", xlim=(0.5, len(numbers) + 0.5))
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    below.legend(ncols=3, **ABOVE)
    return figure


def _errors(values: Sequence[float]) -> np.ndarray:
    """Standard error of the mean of the first two values, of the first three, and so on."""
    return np.array([standard_error(values[:n]) for n in range(2, len(values) + 1)], np.float64)
