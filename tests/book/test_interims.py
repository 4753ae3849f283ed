"""Check of the exercise `interims`."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("interims")

lengths = st.floats(0.1, 60)
intervals = st.floats(0.05, 5)
growths = st.floats(0.02, 1)


def test_a_constant_interval() -> None:
    assert answer.interim_times(2.0, 0.5, 0.0) == [0.5, 1.0, 1.5]
    assert answer.times_each_second(2.0, 0.5, 0.0) == 1.5


def test_an_interval_that_grows() -> None:
    assert answer.interim_times(6.0, 1.0, 0.5) == [1.0, 2.0, 3.0, 4.5]


def test_a_short_segment_has_none() -> None:
    assert answer.interim_times(0.5, 0.5, 0.2) == []
    assert answer.times_each_second(0.5, 0.5, 0.2) == 0


@given(lengths, intervals, growths)
def test_interims_are_as_far_apart_as_asked(length: float, interval: float, growth: float) -> None:
    times = [*answer.interim_times(length, interval, growth), math.inf]
    assert times[0] in (interval, math.inf)
    for before, after in pairwise(times):
        assert before < length
        assert after >= before + max(interval, growth * before) - 1e-9


@given(lengths, intervals, growths)
def test_the_bound_holds(length: float, interval: float, growth: float) -> None:
    assert answer.times_each_second(length, interval, growth) <= answer.bound(growth)


@pytest.mark.parametrize("growth", [0.1, 0.2, 0.5, 1.0])
def test_the_bound_is_not_larger_than_necessary(growth: float) -> None:
    reached = max(
        answer.times_each_second(length / 10, 0.01, growth) for length in range(10, 600, 7)
    )
    assert reached > 0.8 * answer.bound(growth), "a smaller bound holds, too"


def test_without_growth_there_is_no_bound() -> None:
    assert answer.bound(0.0) == math.inf
