"""Is a setting better, or was it lucky?"""

from collections.abc import Sequence


def difference(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Return the mean of after - before over the rounds, and the standard error of this mean.

    Round n of both was played with the same recordings and offsets, so what varies is their
    difference. Use the sample's standard deviation, which divides by n - 1.

    Args:
        before: A figure of each round; at least two.
        after: In the same order.
    """
    raise NotImplementedError


def rounds_needed(before: Sequence[float], after: Sequence[float], least: float) -> int:
    """Return how many rounds are needed to see a difference of `least`.

    That is the smallest whole number of rounds, at least 2, with which the standard error would be
    at most half of `least`, if rounds go on to vary as these do.

    Args:
        before: As of `difference`.
        after: As of `difference`.
        least: Above 0.
    """
    raise NotImplementedError
