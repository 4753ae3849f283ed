"""The picture of what was measured and what is simulated, as SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

mpl.rcParams["svg.hashsalt"] = "streamer"


def draw(one_machine: Sequence[Mapping[str, Any]], picture: Path) -> None:
    """The latency of finals by number of streams, measured and simulated."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    streams = [row["streams"] for row in one_machine]
    for kind, style in (("measured", "o-"), ("simulated", "s--")):
        for quantile, colour in (("p95", "tab:orange"), ("p50", "tab:blue")):
            name = f"{kind} {quantile} ms"
            values = [row[name] for row in one_machine]
            axes.plot(streams, values, style, color=colour, label=name.removesuffix(" ms"),
                      fillstyle="full" if kind == "measured" else "none")  # fmt: skip
    lowest, highest = (
        [row[name] for row in one_machine] for name in ("p95 with other places, from", "to")
    )
    axes.fill_between(streams, lowest, highest, color="tab:orange", alpha=0.2, linewidth=0,
                      label="simulated p95, other places")  # fmt: skip
    axes.axhline(1_000, color="grey", linewidth=0.8)
    axes.set(xlabel="live streams on two cores", ylabel="last speech to final, ms", ylim=(0, None))
    axes.legend(fontsize="small")
    figure.savefig(picture, metadata={"Date": None})
