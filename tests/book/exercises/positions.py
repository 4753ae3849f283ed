"""Positions at two sample rates."""


def converted(position: int, rate: int, other_rate: int) -> int:
    """Return the position at `other_rate` that is nearest to a position at `rate`; halves go up.

    Positions are boundaries between samples, from 0. They may be large: a day at 192 kHz. The
    result is exact, so do not use floats.

    Args:
        position: In samples at `rate`; at least 0.
        rate: Hz.
        other_rate: Hz.
    """
    raise NotImplementedError


def lengths(boundaries: list[int], rate: int, other_rate: int) -> list[int]:
    """Return the lengths at `other_rate` of the spans between adjacent boundaries at `rate`.

    Their sum is the length of the whole, and spans that touch before touch after.
    """
    raise NotImplementedError
