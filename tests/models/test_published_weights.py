"""Weights that are quantized again: each column for itself, and Base's so that they are its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streamer.models.moonshine.graphs import DECODER, ENCODER
from streamer.models.moonshine.published_weights import LARGEST, PublishedWeights, requantized
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require

MATRICES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.floats(-8, 8, width=32),
)


@given(MATRICES, st.lists(st.integers(-9, 9), min_size=6, max_size=6))
def test_each_column_has_its_own_scale(matrix: Floats, powers: list[int]) -> None:
    """However unlike the columns are, the error of each is half a step of its own."""
    matrix = matrix * np.float32(10) ** np.array(powers[: matrix.shape[1]], np.float32)
    found = requantized(matrix)
    assert found.values.dtype == np.int8
    assert np.abs(found.values.astype(int)).max() <= LARGEST
    assert not found.zero_point.any()
    assert found.scale.shape == (matrix.shape[1],)
    steps = np.abs(matrix).max(axis=0) / LARGEST
    values = found.values.astype(np.float32)
    errors = np.abs(values * found.scale.astype(np.float32) - matrix)
    assert (errors <= 0.501 * steps + 1e-12).all()


@pytest.mark.parametrize(
    ("file", "node"),
    [
        (ENCODER, "/layers.0/self_attn/q_proj"),
        (ENCODER, "/layers.7/mlp/fc2"),
        (DECODER, "/model/decoder/layers.3/encoder_attn/o_proj"),
        (DECODER, "/proj_out"),
    ],
)
def test_the_matrices_of_base_have_a_scale_for_each_column(file: str, node: str) -> None:
    weights = PublishedWeights(require("moonshine-base-en") / file)
    matrix = weights.matrix(node)
    assert matrix.values.dtype == np.int8
    assert matrix.scale.shape == (matrix.values.shape[1],)
    assert len(np.unique(matrix.scale)) > 20
    assert (np.abs(matrix.values.astype(int)).max(axis=0) == LARGEST).all()


def test_base_is_larger_than_tiny() -> None:
    sizes = [
        PublishedWeights(require(f"moonshine-{name}-en") / ENCODER).sizes()
        for name in ("tiny", "base")
    ]
    assert [(size.layers, size.width, size.head_size) for size in sizes] == [
        (6, 288, 36),
        (8, 416, 52),
    ]
