"""Check of the exercise `bucket_quantile`."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("bucket_quantile")

BOUNDS = (0.1, 0.5, 1.0, 5.0, inf)


def histogram(values: list[float]) -> dict[float, int]:
    return {bound: sum(value <= bound for value in values) for bound in BOUNDS}


def test_a_line_within_the_bucket() -> None:
    found = answer.quantile(0.5, {0.1: 0, 0.5: 10, inf: 10})
    assert found == pytest.approx(0.3)
    assert answer.quantile(0.95, {0.1: 90, 0.5: 100, inf: 100}) == pytest.approx(0.3)
    assert answer.quantile(0.5, {0.1: 10, inf: 10}) == pytest.approx(0.05)


def test_above_the_last_bound_nothing_is_known() -> None:
    assert answer.quantile(0.95, {0.1: 5, 1.0: 50, inf: 100}) == 1.0


def test_no_values() -> None:
    assert answer.quantile(0.5, {0.1: 0, 1.0: 0, inf: 0}) is None


def test_servers_are_added_not_averaged() -> None:
    fast, slow = histogram([0.05] * 90), histogram([3.0] * 10)
    assert answer.summed([fast, slow]) == histogram([0.05] * 90 + [3.0] * 10)
    assert answer.quantile(0.5, answer.summed([fast, slow])) < 0.1
    assert answer.quantile(0.95, answer.summed([fast, slow])) > 1.0


values = st.lists(st.floats(0.001, 4.9), min_size=1, max_size=50)


@given(values, st.floats(0.01, 1))
def test_the_estimate_is_in_the_bucket_of_the_true_value(found: list[float], share: float) -> None:
    estimate = answer.quantile(share, histogram(found))
    wanted = share * len(found)
    high = next(bound for bound in BOUNDS if sum(v <= bound for v in found) >= wanted)
    low = max((bound for bound in BOUNDS if bound < high), default=0.0)
    assert low - 1e-9 <= estimate <= high + 1e-9


@given(values)
def test_a_larger_share_is_never_smaller(found: list[float]) -> None:
    estimates = [answer.quantile(part / 10, histogram(found)) for part in range(1, 11)]
    assert estimates == sorted(estimates)
