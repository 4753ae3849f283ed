"""Check of the exercise `linear_resampler`."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("linear_resampler")

rates = st.sampled_from([8_000, 11_025, 16_000, 44_100, 48_000])
SAMPLES = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)


@given(rates, rates, st.lists(st.integers(0, len(SAMPLES)), max_size=15))
def test_the_cut_does_not_matter(rate: int, other: int, cuts: list[int]) -> None:
    places = sorted([0, *cuts, len(SAMPLES)])
    resampler = answer.LinearResampler(rate, other)
    received, found = 0, [np.empty(0, np.float32)]
    for start, end in pairwise(places):
        found.append(resampler.push(SAMPLES[start:end].copy()))
        received += end - start
        due = (received - 1) * other // rate + 1 if received else 0
        assert sum(map(len, found)) == due, "every output that is determined comes at once"
    whole = answer.LinearResampler(rate, other).push(SAMPLES)
    assert np.array_equal(np.concatenate(found), whole), "the cut changes values"


@given(rates, rates)
def test_values_are_on_the_lines(rate: int, other: int) -> None:
    found = answer.LinearResampler(rate, other).push(SAMPLES)
    assert found.dtype == np.float32
    places = np.arange(len(found)) * (rate / other)
    assert found == pytest.approx(np.interp(places, np.arange(len(SAMPLES)), SAMPLES), abs=1e-5)


def test_places_stay_exact_after_half_an_hour() -> None:
    """What the class counts must be whole numbers: errors of floats would add up."""
    resampler = answer.LinearResampler(48_000, 16_000)
    total = 0
    piece = np.zeros(4_800_001, np.float32)
    for _ in range(20):
        total += len(resampler.push(piece))
    assert total == (20 * 4_800_001 - 1) // 3 + 1


def test_the_same_rate_changes_nothing() -> None:
    found = answer.LinearResampler(16_000, 16_000).push(SAMPLES)
    assert found.tolist() == SAMPLES.tolist()
