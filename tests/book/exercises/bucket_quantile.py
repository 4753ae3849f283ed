"""A percentile from histograms."""

from collections.abc import Mapping, Sequence

Histogram = Mapping[float, int]
"""For each bound, in seconds and ascending: how many values were at most that long. The last bound
is infinity, so its count is that of all values."""


def summed(histograms: Sequence[Histogram]) -> dict[float, int]:
    """Return the histogram of several servers, which have the same bounds; at least one."""
    raise NotImplementedError


def quantile(share: float, histogram: Histogram) -> float | None:
    """Return the estimate of the value that a share of all values does not exceed.

    - Find the first bound whose count is at least share * the count of all.
    - Values are spread evenly within a bucket: draw a line from the bound before it (0 for the
      first bucket) to this one.
    - If this bound is infinity, return the last finite bound: nothing more is known.
    - None = there are no values.

    Args:
        share: Above 0, at most 1.
        histogram: With at least one finite bound.
    """
    raise NotImplementedError
