"""Round positions, never lengths."""

from itertools import pairwise


def converted(position: int, rate: int, other_rate: int) -> int:
    """Compute floor(position * other_rate / rate + 1/2), in whole numbers."""
    return (2 * position * other_rate + rate) // (2 * rate)


def lengths(boundaries: list[int], rate: int, other_rate: int) -> list[int]:
    """Return differences of converted positions."""
    found = [converted(boundary, rate, other_rate) for boundary in boundaries]
    return [end - start for start, end in pairwise(found)]
