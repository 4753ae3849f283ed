"""Numbers with their units, names of series and colours, as Grafana shows them."""

import math
import re
from collections.abc import Mapping

from tools.harness.monitoring import Series

NAMED_COLOURS = {"green": "#3f9b46", "yellow": "#d99a1c", "red": "#d1404a", "blue": "#2f6fd0"}
LINE_COLOURS = (
    "#2f6fd0", "#e07b39", "#3f9b46", "#b04fc4", "#d1404a", "#1e9c9c", "#8a6d3b", "#6b7280",
)  # fmt: skip


def series_name(pattern: str, series: Series, servers: Mapping[str, str]) -> str:
    """The name of a series: its labels in the place of `{{label}}`.

    Args:
        pattern: As Grafana has it.
        series: As Prometheus answers.
        servers: What is shown for the addresses of servers; for others, `server:8080`.
    """

    def label(found: re.Match[str]) -> str:
        value = str(series["metric"].get(found[1], ""))
        return servers.get(value, re.sub(r"^127\.0\.0\.1:\d+$", "server:8080", value))

    return re.sub(r"{{(\w+)}}", label, pattern)


def colour_of(number: int) -> str:
    """The colour of the line with this number."""
    return LINE_COLOURS[number % len(LINE_COLOURS)]


def written(value: float, unit: str) -> str:
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
