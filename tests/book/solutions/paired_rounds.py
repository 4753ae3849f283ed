"""The statistics of differences."""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import fmean, stdev


def _differences(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [new - old for old, new in zip(before, after, strict=True)]


def difference(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Each round is a pair."""
    found = _differences(before, after)
    return fmean(found), stdev(found) / sqrt(len(found))


def rounds_needed(before: Sequence[float], after: Sequence[float], least: float) -> int:
    """The standard error falls with the square root of the rounds."""
    spread = stdev(_differences(before, after))
    return max(2, ceil((spread / (least / 2)) ** 2))
