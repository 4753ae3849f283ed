"""The sample buffer against the plain array of everything ever appended."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.audio.buffer import BLOCK_SAMPLES, SampleBuffer


def ramp(a: int, b: int) -> NDArray[np.float32]:
    """Samples whose value is their index, exact in float32 below 2**24."""
    return np.arange(a, b, dtype=np.float32)


def blocks(buffer: SampleBuffer) -> int:
    return len(buffer._blocks)


def touched(start: int, end: int) -> int:
    """Blocks in which there are samples of [start, end)."""
    return -(-end // BLOCK_SAMPLES) - start // BLOCK_SAMPLES if start < end else 0


def joined(pieces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate([ramp(0, 0), *pieces])


appends = st.tuples(st.just("append"), st.integers(0, 3 * BLOCK_SAMPLES))
discards = st.tuples(st.just("discard"), st.integers(0, 3 * BLOCK_SAMPLES))


@given(st.lists(appends | discards, max_size=40), st.data())
def test_holds_what_was_appended_and_not_discarded(
    calls: list[tuple[str, int]], data: st.DataObject
) -> None:
    buffer = SampleBuffer()
    start = end = 0
    for name, amount in calls:
        if name == "append":
            buffer.append(ramp(end, end + amount))
            end += amount
        else:
            start = min(start + amount, end)
            buffer.discard_before(start)
        assert (buffer.start, buffer.end, len(buffer)) == (start, end, end - start)
        assert np.array_equal(buffer.view(start, end), ramp(start, end))
        assert blocks(buffer) == touched(start, end)
    a = data.draw(st.integers(start, end))
    b = data.draw(st.integers(a, end))
    assert np.array_equal(buffer.view(a, b), ramp(a, b))
    assert np.array_equal(joined(buffer.pieces(a, b)), ramp(a, b))


@pytest.mark.parametrize(("a", "b"), [(99, 150), (100, 201), (-1, 150), (150, 149), (201, 201)])
def test_samples_not_held_are_an_error(a: int, b: int) -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 200))
    buffer.discard_before(100)
    for read in (buffer.view, buffer.pieces):
        with pytest.raises(IndexError, match=r"not within \[100, 200\)"):
            read(a, b)


def test_empty_ranges_within_are_empty() -> None:
    buffer = SampleBuffer()
    assert len(buffer.view(0, 0)) == 0
    buffer.append(ramp(0, 10))
    assert len(buffer.view(10, 10)) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 2 * BLOCK_SAMPLES), st.integers(0, 2 * BLOCK_SAMPLES)), max_size=20
    ),
    st.randoms(use_true_random=False),
)
def test_what_was_given_out_stays_as_it_is(
    calls: list[tuple[int, int]], chance: random.Random
) -> None:
    buffer = SampleBuffer()
    given_out = []
    for appended, discarded in calls:
        buffer.append(ramp(buffer.end, buffer.end + appended))
        a, b = sorted(chance.randint(buffer.start, buffer.end) for _ in range(2))
        given_out.append((a, b, buffer.view(a, b), buffer.pieces(a, b)))
        buffer.discard_before(min(buffer.start + discarded, buffer.end))
    for a, b, view, pieces in given_out:
        assert np.array_equal(view, ramp(a, b))
        assert np.array_equal(joined(pieces), ramp(a, b))


def test_what_lies_in_one_block_is_not_copied() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 3 * BLOCK_SAMPLES))
    window = buffer.view(BLOCK_SAMPLES, 2 * BLOCK_SAMPLES)
    assert np.shares_memory(window, buffer.view(BLOCK_SAMPLES, BLOCK_SAMPLES + 1))
    assert np.shares_memory(window, buffer.view(2 * BLOCK_SAMPLES - 1, 2 * BLOCK_SAMPLES))
    across = buffer.view(BLOCK_SAMPLES - 1, BLOCK_SAMPLES + 1)
    assert not np.shares_memory(across, window)
    assert across.flags.c_contiguous


@pytest.mark.parametrize("a", [BLOCK_SAMPLES - 1, BLOCK_SAMPLES, BLOCK_SAMPLES + 1])
@pytest.mark.parametrize("b", [2 * BLOCK_SAMPLES - 1, 2 * BLOCK_SAMPLES, 2 * BLOCK_SAMPLES + 1])
def test_ranges_that_begin_and_end_where_blocks_do_or_beside_it(a: int, b: int) -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, a))
    buffer.append(ramp(a, b))
    buffer.append(ramp(b, 3 * BLOCK_SAMPLES))
    buffer.discard_before(a)
    assert np.array_equal(buffer.view(a, b), ramp(a, b))
    assert np.array_equal(joined(buffer.pieces(a, b)), ramp(a, b))


def test_pieces_are_not_copied_and_end_where_blocks_do() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 3 * BLOCK_SAMPLES))
    pieces = buffer.pieces(BLOCK_SAMPLES - 5, 2 * BLOCK_SAMPLES + 7)
    assert [len(piece) for piece in pieces] == [5, BLOCK_SAMPLES, 7]
    again = buffer.pieces(0, 3 * BLOCK_SAMPLES)
    assert all(np.shares_memory(*pair) for pair in zip(pieces, again, strict=True))
    assert len(buffer.pieces(BLOCK_SAMPLES, 2 * BLOCK_SAMPLES)) == 1


@pytest.mark.parametrize("range_", [(10, 90), (10, BLOCK_SAMPLES + 90), (10, 10)])
def test_nothing_that_is_given_out_can_be_written_to(range_: tuple[int, int]) -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 2 * BLOCK_SAMPLES))
    for given_out in (buffer.view(*range_), *buffer.pieces(*range_)):
        assert not given_out.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            given_out.fill(1.0)


def test_discarding_what_is_gone_is_no_error_but_the_future_is() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 100))
    buffer.discard_before(60)
    buffer.discard_before(20)
    buffer.discard_before(-5)
    assert (buffer.start, buffer.end) == (60, 100)
    buffer.discard_before(100)
    assert (buffer.start, buffer.end) == (100, 100)
    with pytest.raises(IndexError, match="cannot discard before 101"):
        buffer.discard_before(101)
    assert (buffer.start, buffer.end) == (100, 100)


def test_windows_at_multiples_of_their_length_never_lie_across_blocks() -> None:
    buffer = SampleBuffer()
    for end in range(320, 20 * BLOCK_SAMPLES, 320):
        buffer.append(ramp(end - 320, end))
        window = end // 512 * 512
        if window:
            assert len(buffer.pieces(window - 512, window)) == 1


def test_an_idle_stream_never_grows() -> None:
    # Ten minutes in windows of 32 ms with 0.2 s kept: what a channel does while nobody speaks.
    buffer = SampleBuffer()
    for end in range(512, 600 * 16000, 512):
        buffer.append(ramp(end - 512, end))
        buffer.discard_before(max(0, end - 3200))
        assert blocks(buffer) <= 2


def test_a_buffer_without_samples_has_no_memory() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 0))
    assert blocks(buffer) == 0
    buffer.append(ramp(0, 60 * 16000))
    assert blocks(buffer) == touched(0, 60 * 16000)
    buffer.discard_before(buffer.end)
    buffer.append(ramp(0, 0))
    assert blocks(buffer) == 0
    buffer.append(ramp(960_000, 960_100))
    assert np.array_equal(buffer.view(960_000, 960_100), ramp(960_000, 960_100))


def test_samples_are_never_moved() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 1))
    first = buffer.view(0, 1)
    for end in range(512, 2**18, 512):
        buffer.append(ramp(buffer.end, end))
        assert np.shares_memory(first, buffer.view(0, 1))


def test_two_dimensions_are_refused() -> None:
    buffer = SampleBuffer()
    with pytest.raises(ValueError, match="values to unpack"):
        buffer.append(np.zeros((1, 10), np.float32))
    assert buffer.end == 0
