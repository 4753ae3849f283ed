"""Interims at growing distances: their lengths form a geometric series."""

import math


def interim_times(length_s: float, interval_s: float, growth: float) -> list[float]:
    """One after another."""
    times = []
    at = interval_s
    while at < length_s:
        times.append(at)
        at += max(interval_s, growth * at)
    return times


def times_each_second(length_s: float, interval_s: float, growth: float) -> float:
    """The sum of all lengths, divided by the last one."""
    return sum(interim_times(length_s, interval_s, growth)) / length_s


def bound(growth: float) -> float:
    """Each length is at most 1 / (1 + growth) of the next: 1 + q + q² + … = 1 + 1 / growth."""
    return 1 + 1 / growth if growth else math.inf
