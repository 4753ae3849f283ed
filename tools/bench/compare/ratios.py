"""Figures of both sides, taken in turn, and how their medians compare. Pure."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Figure:
    """One figure, measured several times on both sides.

    Attributes:
        name: With its unit.
        limit: Largest ratio that is good enough; None = only reported.
        fastest: Compare the smallest values, not the medians. For short runs, whose time depends
            most on what else the processor does; that only adds.
        this: One value a round, of this checkout.
        other: The same of the other one.
    """

    name: str
    limit: float | None = None
    fastest: bool = False
    this: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The value of this checkout over that of the other one."""
        return self.typical(self.this) / self.typical(self.other)

    def typical(self, values: list[float]) -> float:
        """The median, or the smallest value."""
        return min(values) if self.fastest else statistics.median(values)

    @property
    def spread(self) -> tuple[float, float]:
        """Smallest and largest ratio within one round."""
        ratios = [a / b for a, b in zip(self.this, self.other, strict=True)]
        return min(ratios), max(ratios)

    @property
    def passed(self) -> bool:
        """Whether the ratio is within its limit."""
        return self.limit is None or self.ratio <= self.limit

    def row(self) -> tuple[str, ...]:
        """Cells of the table."""
        least, most = self.spread
        return (
            f"{self.name} (fastest)" if self.fastest else self.name,
            *(f"{self.typical(values):.4g}" for values in (self.this, self.other)),
            f"{self.ratio:.3f}",
            f"{least:.3f} – {most:.3f}",
            "–" if self.limit is None else f"≤ {self.limit:g}",
            "yes" if self.passed else "NO",
            "  ".join(f"{a:.4g}/{b:.4g}" for a, b in zip(self.this, self.other, strict=True)),
        )


COLUMNS = ("figure", "this", "other", "ratio", "of one round", "limit", "within", "rounds")


def in_turn(rounds: int) -> Iterator[tuple[int, bool]]:
    """Yield round and side (True = this checkout), each side first in every other round."""
    for turn in range(rounds):
        first = turn % 2 == 0
        yield turn, first
        yield turn, not first


def measure(
    figures: list[Figure],
    rounds: int,
    run: Callable[[bool], list[float]],
) -> None:
    """Measure both sides in turn.

    Args:
        figures: Get a value each for every side and round.
        rounds: How many values each side gets.
        run: Takes the side (True = this checkout), returns one value for each figure.
    """
    for _, this in in_turn(rounds):
        for figure, value in zip(figures, run(this), strict=True):
            (figure.this if this else figure.other).append(value)
