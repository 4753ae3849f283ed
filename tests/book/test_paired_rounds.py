"""Check of the exercise `paired_rounds`."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("paired_rounds")

BEFORE = [10.0, 11.0, 9.0, 10.0]
AFTER = [9.5, 10.8, 8.5, 9.6]


def test_what_is_hard_for_both_cancels_out() -> None:
    mean, error = answer.difference(BEFORE, AFTER)
    assert mean == pytest.approx(-0.4)
    assert error == pytest.approx(sqrt(0.06 / 3) / 2)
    assert error < 0.2, "rounds differ by more than a point, and the settings do not"


def test_rounds_that_are_all_alike() -> None:
    assert answer.difference([1.0, 2.0], [2.0, 3.0]) == pytest.approx((1.0, 0.0))
    assert answer.rounds_needed([1.0, 2.0], [2.0, 3.0], 0.3) == 2


def test_a_smaller_difference_needs_more_rounds() -> None:
    before, after = [0.0, 0.0, 0.0, 0.0], [1.0, -1.0, 1.0, -1.0]  # the variance is 4/3
    assert answer.rounds_needed(before, after, 1.0) == 6
    assert answer.rounds_needed(before, after, 0.5) == 22


figures = st.lists(st.integers(0, 40).map(float), min_size=8, max_size=8)


@given(figures, st.integers(1, 8))
def test_with_these_rounds_the_error_is_small_enough(values: list[float], least: int) -> None:
    before, after = values[:4], values[4:]
    needed = answer.rounds_needed(before, after, float(least))
    _, error = answer.difference(before, after)
    spread = error * sqrt(4)
    assert spread / sqrt(needed) <= least / 2 + 1e-9
    assert needed == 2 or spread / sqrt(needed - 1) > least / 2 - 1e-9
