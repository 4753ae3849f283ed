"""When interims of a growing segment are due, and what they cost."""


def interim_times(length_s: float, interval_s: float, growth: float) -> list[float]:
    """Return the lengths at which a segment is transcribed before it ends.

    The first interim is due when the segment is `interval_s` long. After an interim at length t,
    the next one is due at t + interval_s, or at t + growth * t if that is later. None is due at or
    behind the end of the segment.

    Args:
        length_s: Of the whole segment, in seconds.
        interval_s: The least distance between two interims, in seconds; above 0.
        growth: The least distance as a fraction of the segment's length.
    """
    raise NotImplementedError


def times_each_second(length_s: float, interval_s: float, growth: float) -> float:
    """Return how often a second of the segment is transcribed for interims, on average."""
    raise NotImplementedError


def bound(growth: float) -> float:
    """Return the value that `times_each_second` never exceeds, for any length and interval.

    Infinity for a growth of 0. A bound that is much larger than necessary does not pass the check.
    """
    raise NotImplementedError
