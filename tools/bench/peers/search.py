"""The largest number of streams that a peer serves in time: doubling, then bisecting."""

from collections.abc import Callable

LIMIT = 512
"""Streams; more are not tried."""


def most_streams(first: int, in_time: Callable[[int], bool]) -> int:
    """The largest number found that is in time, 0 if a single stream is not.

    It is exact to a quarter: between it and the smallest number that was not in time is at most a
    quarter of it.

    Args:
        first: The number to begin with.
        in_time: Measures a number of streams.
    """
    good, bad = 0, LIMIT + 1
    streams = first
    while True:
        if in_time(streams):
            good = streams
        else:
            bad = streams
        if bad - good <= max(1, good // 4) or good == LIMIT:
            return good
        if good == 0:
            streams = bad // 2
        elif bad > LIMIT:
            streams = min(LIMIT, 2 * good)
        else:
            streams = (good + bad) // 2
