"""Check of the exercise `positions`."""

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("positions")

rates = st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 192_000, 44_101])
places = st.integers(0, 24 * 3600 * 192_000)


@given(places, rates, rates)
def test_the_nearest_position(position: int, rate: int, other: int) -> None:
    exact = Fraction(position * other, rate)
    assert answer.converted(position, rate, other) == floor(exact + Fraction(1, 2))


def test_halves_go_up() -> None:
    assert [answer.converted(at, 2, 1) for at in range(5)] == [0, 1, 1, 2, 2]


def test_very_large_positions_are_exact() -> None:
    assert answer.converted(3 * 10**20 + 1, 3, 2) == 2 * 10**20 + 1


@given(st.lists(places, min_size=2, max_size=20), rates, rates)
def test_lengths_add_up(boundaries: list[int], rate: int, other: int) -> None:
    boundaries = sorted(boundaries)
    found = answer.lengths(boundaries, rate, other)
    assert len(found) == len(boundaries) - 1
    assert min(found) >= 0
    assert sum(found) == sum(answer.lengths([boundaries[0], boundaries[-1]], rate, other))
    starts_at_zero = answer.lengths([0, *boundaries], rate, other)
    assert starts_at_zero[1:] == found
