"""Counts can be added, percentiles cannot."""

from collections.abc import Mapping, Sequence
from math import inf

Histogram = Mapping[float, int]


def summed(histograms: Sequence[Histogram]) -> dict[float, int]:
    """Add up each bound."""
    return {bound: sum(one[bound] for one in histograms) for bound in histograms[0]}


def quantile(share: float, histogram: Histogram) -> float | None:
    """Walk up to the bucket, and draw a line."""
    wanted = share * histogram[inf]
    if not wanted:
        return None
    low, below = 0.0, 0
    for bound, count in histogram.items():
        if count >= wanted:
            if bound == inf:
                return low
            return low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low
