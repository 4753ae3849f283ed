"""Check of the exercise `quantized_product`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("quantized_product")

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(1, 40), st.integers(1, 40))
def test_a_value_is_wrong_by_half_a_scale_at_most(seed: int, inputs: int, outputs: int) -> None:
    chance = np.random.default_rng(seed)
    matrix = chance.standard_normal((inputs, outputs)) * 10 ** chance.uniform(-3, 3, outputs)
    matrix = matrix.astype(np.float32)
    values, scales = answer.quantize(matrix)
    assert values.dtype == np.int8
    assert scales.dtype == np.float32
    assert (np.abs(values.astype(int)).max(axis=0) == 127).all()
    assert (np.abs(values * scales - matrix) <= scales * 0.5001).all()


def test_a_column_of_zeros_stays_one() -> None:
    values, scales = answer.quantize(np.zeros((3, 2), np.float32))
    assert not values.any()
    assert (scales > 0).all()


def test_sums_have_room() -> None:
    rows, matrix = np.full((1, 4_000), 2.0), np.full((4_000, 1), -3.0)
    values, scales = answer.quantize(matrix.astype(np.float32))
    found = answer.product(rows.astype(np.float32), values, scales)
    assert found.dtype == np.float32
    assert found[0, 0] == pytest.approx(-24_000, rel=1e-4)


@given(seeds, st.integers(2, 8))
def test_a_row_does_not_depend_on_its_neighbours(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    levels = 10 ** chance.uniform(-3, 3, (count, 1))
    rows = (chance.standard_normal((count, 32)) * levels).astype(np.float32)
    matrix = chance.standard_normal((32, 16)).astype(np.float32)
    values, scales = answer.quantize(matrix)
    together = answer.product(rows, values, scales)
    for number in range(count):
        alone = answer.product(rows[number : number + 1], values, scales)
        assert np.array_equal(alone[0], together[number]), f"row {number} depends on the others"
    exact = rows @ matrix
    lengths = np.linalg.norm(exact, axis=1)
    assert (np.linalg.norm(together - exact, axis=1) < 0.1 * lengths).all()
