"""Check of the exercise `level_meter`."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("level_meter")

SAMPLES = np.random.default_rng(0).uniform(-1, 1, 500).astype(np.float32)


def test_the_level_is_the_one_that_is_described() -> None:
    level, _ = answer.measure(np.array([0.5, 1.0], np.float32), None)
    assert level == pytest.approx(0.99 * 0.01 * 0.25 + 0.01)


@given(st.lists(st.integers(0, len(SAMPLES)), max_size=10))
def test_the_cut_does_not_matter(cuts: list[int]) -> None:
    whole, _ = answer.measure(SAMPLES, None)
    state, level = None, 0.0
    for start, end in pairwise(sorted([0, *cuts, len(SAMPLES)])):
        level, state = answer.measure(SAMPLES[start:end], state)
    assert level == pytest.approx(whole, rel=1e-12)


def test_a_copy_of_the_state_goes_on_elsewhere() -> None:
    _, state = answer.measure(SAMPLES[:200], None)
    moved = pickle.loads(pickle.dumps(state))
    assert answer.measure(SAMPLES[200:], moved)[0] == answer.measure(SAMPLES[200:], state)[0]


def test_a_discarded_call_leaves_no_trace() -> None:
    _, state = answer.measure(SAMPLES[:200], None)
    before = copy.deepcopy(state)
    first = answer.measure(SAMPLES[200:], state)[0]
    assert pickle.dumps(state) == pickle.dumps(before), "the call has changed the state"
    assert answer.measure(SAMPLES[200:], state)[0] == first
