"""Check of the exercise `samples_24`."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("samples_24")


@pytest.mark.parametrize(
    ("value", "sample"),
    [(0, 0.0), (1, 2.0**-23), (-1, -(2.0**-23)), (2**23 - 1, 1 - 2.0**-23), (-(2**23), -1.0),
     (2**22, 0.5), (255, 255 * 2.0**-23), (-256, -256 * 2.0**-23)],
)  # fmt: skip
def test_values_are_exact(value: int, sample: float) -> None:
    found = answer.Decoder24(1).decode(value.to_bytes(3, "big", signed=True))
    assert found.dtype == np.float32
    assert found.tolist() == [[sample]]


@given(
    st.integers(1, 4), st.lists(st.integers(-(2**23), 2**23 - 1), max_size=40),
    st.lists(st.integers(0, 130), max_size=12),
)  # fmt: skip
def test_the_cut_does_not_matter(channels: int, values: list[int], cuts: list[int]) -> None:
    data = b"".join(value.to_bytes(3, "big", signed=True) for value in values)
    decoder = answer.Decoder24(channels)
    places = sorted([0, *(min(cut, len(data)) for cut in cuts), len(data)])
    pieces = [decoder.decode(data[start:end]) for start, end in pairwise(places)]
    assert all(piece.shape[0] == channels for piece in pieces)
    frames = len(values) // channels
    expected = np.array(values[: frames * channels]).reshape(frames, channels).T / 2**23
    assert np.concatenate(pieces, axis=1).tolist() == expected.tolist()


def test_each_frame_comes_as_soon_as_it_is_complete() -> None:
    decoder = answer.Decoder24(2)
    lengths = [decoder.decode(bytes([byte])).shape[1] for byte in range(12)]
    assert lengths == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
