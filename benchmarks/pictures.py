"""Pictures of the results of `make bench`, as SVG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Write a picture of each part of the results that is there."""
    mpl.rcParams["svg.hashsalt"] = "streamer"  # the same figures give the same file
    if live := results.get("live"):
        _latency(live).savefig(folder / "latency.svg", metadata={"Date": None})
    if growth := results.get("growth"):
        _growth(growth).savefig(folder / "growth.svg", metadata={"Date": None})


def _latency(rows: list[dict[str, Any]]) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for interims, label in ((False, "finals only"), (True, "with interims")):
        chosen = sorted((r for r in rows if r["interims"] == interims), key=_streams)
        for key, style in (("final p95 ms", "o-"), ("final p50 ms", "o:")):
            name = f"{label}, {key.split()[1]}"
            axes.plot([_streams(r) for r in chosen], [r[key] for r in chosen], style, label=name)
    axes.axhline(1000, color="grey", linewidth=0.8)
    axes.set(xlabel="live streams", ylabel="last speech to final, ms", ylim=(0, None))
    axes.legend()
    return figure


def _growth(rows: list[dict[str, Any]]) -> Figure:
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.add_subplot()
    key = "server CPU ms per audio s"
    axes.plot([_streams(r) for r in rows], [r[key] for r in rows], "o-")
    axes.set(xlabel="live streams", ylabel="server CPU, ms per audio second", ylim=(0, None))
    return figure


def _streams(row: dict[str, Any]) -> int:
    return int(row["streams"])
