"""Pictures of the results of the benchmarks, as SVG: the same figures give the same file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FigureRows = list[dict[str, Any]]

mpl.rcParams["svg.hashsalt"] = "streamer"


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """A picture of each part of `bench.json` that is there."""
    if live := results.get("live"):
        _save(_latency(live), folder / "latency.svg")
    if growth := results.get("growth"):
        _save(_growth(growth), folder / "growth.svg")


def draw_curve(results: Mapping[str, Any], folder: Path) -> None:
    """What each of the segmenter's settings does, of `curve.json`."""
    rows, defaults = results["rows"], results["defaults"]
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    grid = figure.subplots(2, len(defaults), sharey="row")
    for column, (setting, default) in enumerate(defaults.items()):
        chosen = [row for row in rows if row["setting"] == setting]
        values = [row["value"] for row in chosen]
        above, below = grid[0][column], grid[1][column]
        above.plot(values, [row["word error rate"] for row in chosen], "o-", label="cut")
        above.axhline(chosen[0]["of whole files"], color="grey", linewidth=0.8, label="whole")
        if "f1" in chosen[0]:
            noise = [row["noise segments a minute"] for row in chosen]
            below.plot(values, [row["f1"] for row in chosen], "o-", label="F1")
            below.plot(values, noise, "o:", label="false segments a minute")
        for axes in (above, below):
            axes.axvline(default, color="tab:green", linewidth=0.8)
        below.set_xlabel(setting)
    grid[0][0].set_ylabel("word error rate, %")
    grid[0][0].legend()
    grid[1][0].legend()
    _save(figure, folder / "curve.svg")


def draw_silence(results: Mapping[str, Any], folder: Path) -> None:
    """Word errors by the silence that ends a segment, of `silence.json`."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for model in dict.fromkeys(row["model"] for row in results["rows"]):
        rows = [row for row in results["rows"] if row["model"] == model]
        found = [row["word errors, %"] for row in rows]
        axes.errorbar(
            [row["min_silence_ms"] for row in rows],
            [each["mean"] for each in found],
            yerr=[each["standard error"] or 0.0 for each in found],
            marker="o",
            capsize=3,
            label=model,
        )
    axes.axvline(results["default"], color="tab:green", linewidth=0.8, label="the default")
    axes.set(xlabel="min_silence_ms", ylabel="word errors, %")
    axes.legend()
    _save(figure, folder / "silence.svg")


def draw_long(results: Mapping[str, Any], folder: Path) -> None:
    """Memory, descriptors and tasks over time, of `long.json`."""
    looks = results["looks"]
    figure = Figure(figsize=(7, 4), layout="constrained")
    for axes, key in zip(
        figure.subplots(3, 1, sharex=True), ("rss_mb", "descriptors", "tasks"), strict=True
    ):
        axes.plot([each["minutes"] for each in looks], [each[key] for each in looks])
        axes.set(ylabel=key, ylim=(0, None))
    axes.set_xlabel("minutes")
    _save(figure, folder / "long.svg")


def draw_marking(results: Mapping[str, Any], folder: Path) -> None:
    """The share of errors that is found by marking uncertain words, of `accuracy.json`."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for row in results["curve"]:
        marked, found = zip(*row["points"], strict=True)
        (line,) = axes.plot(marked, found, label=row["model"])
        for limit in results["marked"]:
            if limit["model"] == row["model"]:
                at = limit["words marked, %"], limit["of the wrong ones marked, %"]
                axes.plot(*at, "o", color=line.get_color(), markersize=4)
                axes.annotate(
                    f"{limit['marked below']:g}",
                    at,
                    textcoords="offset points",
                    xytext=(5, -9),
                    color=line.get_color(),
                    fontsize="small",
                )
    axes.plot((0, 100), (0, 100), color="grey", linewidth=0.8, label="by chance")
    axes.set(xlabel="words marked, %", ylabel="wrong words found, %", xlim=(0, 100), ylim=(0, 101))
    axes.legend(loc="lower right")
    _save(figure, folder / "marking.svg")


def draw_peers(results: Mapping[str, Any], folder: Path) -> None:
    """Streams in time and CPU of each server, of `peers.json`."""
    rows = results["rows"]
    names = [_peer_name(row) for row in rows]
    colors = ["tab:green" if row["server"] == "streamer" else "tab:blue" for row in rows]
    figure = Figure(figsize=(10, 0.8 + 0.55 * len(rows)), layout="constrained")
    shown = {
        "most streams": "most streams with p95 ≤ 1 s",
        "CPU ms per audio s": "CPU ms per second of audio, at equal load",
    }
    if any(row["most streams"] is None for row in rows):
        del shown["most streams"]
    grid = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, (key, label) in zip(grid, shown.items(), strict=True):
        values = [row[key] for row in rows]
        bars = axes.barh(range(len(rows)), values, color=colors)
        axes.bar_label(bars, [f"{value:g}" for value in values], padding=2, fontsize="small")
        axes.margins(x=0.12)
        axes.set_xlabel(label)
    grid[0].set_yticks(range(len(rows)), names, fontsize="small")
    grid[0].invert_yaxis()
    _save(figure, folder / "peers.svg")


def _peer_name(row: Mapping[str, Any]) -> str:
    server = row["server"].split(",")[0].split(" (")[0]
    extras = ["interims"] * row["interims"] + ["told the ends"] * (row["ends of speech"] == "told")
    return "\n".join((f"{server}", ", ".join((row["model"], *extras))))


def draw_errors_by_cost(
    accuracy: Mapping[str, Any], pairs: Mapping[str, Any], folder: Path
) -> None:
    """Error rate and CPU of each model, of `accuracy.json` and `pairs.json`."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    costs = {row["models"]: row for row in pairs["rows"]}
    for row, marker in zip(accuracy["models"], "osD", strict=False):
        cost = costs[row["model"]]
        found_ms = cost["finals, ms/s"], cost["with interims, ms/s"]
        rate, error = (row["socket"][part] for part in ("mean", "standard error"))
        style = f"{marker}--" if marker == "D" else f"{marker}-"
        (line,) = axes.plot(found_ms, (rate, rate), style, fillstyle="none", label=row["model"])
        color = line.get_color()
        for cost_ms, fill in zip(found_ms, ("full", "none"), strict=True):
            axes.errorbar(cost_ms, rate, yerr=error, fmt=marker, fillstyle=fill, color=color)
    axes.set(
        xlabel="CPU, ms per second of speech (filled: finals; hollow: with an interim a second)",
        ylabel="word error rate, %",
        xlim=(0, None),
        ylim=(0, None),
    )
    axes.legend(loc="lower right")
    _save(figure, folder / "errors_by_cost.svg")


def _latency(rows: FigureRows) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes: Axes = figure.add_subplot()
    for interims, label in ((False, "finals only"), (True, "with interims")):
        chosen = sorted((r for r in rows if r["interims"] == interims), key=_streams)
        for key, style in (("final p95 ms", "o-"), ("final p50 ms", "o:")):
            name = f"{label}, {key.split()[1]}"
            axes.plot([_streams(r) for r in chosen], [r[key] for r in chosen], style, label=name)
    axes.axhline(1000, color="grey", linewidth=0.8)
    axes.set(xlabel="live streams", ylabel="last speech to final, ms", ylim=(0, None))
    axes.legend()
    return figure


def _growth(rows: FigureRows) -> Figure:
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.add_subplot()
    key = "server CPU ms per audio s"
    axes.plot([_streams(r) for r in rows], [r[key] for r in rows], "o-")
    axes.set(xlabel="live streams", ylabel="server CPU, ms per audio second", ylim=(0, None))
    return figure


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})


def _streams(row: dict[str, Any]) -> int:
    return int(row["streams"])
