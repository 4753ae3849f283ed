"""Check of the exercise `chunks`."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("chunks")


@given(st.integers(1, 20), st.lists(st.integers(0, 50), max_size=12))
def test_chunks_do_not_depend_on_the_pieces(size: int, sizes: list[int]) -> None:
    samples = np.arange(sum(sizes), dtype=np.float32)
    chunker = answer.Chunker(size)
    found = []
    at = 0
    for length in sizes:
        piece = samples[at : at + length].copy()
        at += length
        found += chunker.push(piece)
        assert len(found) == at // size, "a chunk is due as soon as it is full"
        piece[:] = -1  # the caller uses its memory again
    if (rest := chunker.finish()) is not None:
        found.append(rest)
        assert 0 < len(rest) < size
    assert all(len(chunk) == size for chunk in found[: len(samples) // size])
    assert np.concatenate([*found, samples[:0]]).tolist() == samples.tolist()


def test_nothing_is_left_of_a_full_chunk() -> None:
    chunker = answer.Chunker(2)
    (chunk,) = chunker.push(np.array([1, 2], np.float32))
    assert chunk.tolist() == [1, 2]
    assert chunker.finish() is None


def test_two_streams_do_not_share_anything() -> None:
    first, second = answer.Chunker(4), answer.Chunker(4)
    first.push(np.ones(3, np.float32))
    assert second.push(np.ones(3, np.float32)) == []
    assert second.finish().tolist() == [1, 1, 1]
