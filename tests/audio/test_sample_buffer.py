"""The sample buffer against the plain array of everything ever appended."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.audio.buffer import INITIAL_CAPACITY, SampleBuffer


def ramp(a: int, b: int) -> NDArray[np.float32]:
    """Samples whose value is their index, exact in float32 below 2**24."""
    return np.arange(a, b, dtype=np.float32)


def reserved_bytes(buffer: SampleBuffer) -> int:
    return buffer._data.nbytes


appends = st.tuples(st.just("append"), st.integers(0, 3 * INITIAL_CAPACITY))
discards = st.tuples(st.just("discard"), st.integers(0, 3 * INITIAL_CAPACITY))


@settings(deadline=None)
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
        # Twice what is needed after growing, four times before shrinking.
        assert reserved_bytes(buffer) <= 4 * max(INITIAL_CAPACITY, 4 * (end - start) + amount * 2)
    a = data.draw(st.integers(start, end))
    b = data.draw(st.integers(a, end))
    assert np.array_equal(buffer.copy(a, b), ramp(a, b))


@pytest.mark.parametrize(("a", "b"), [(99, 150), (100, 201), (-1, 150), (150, 149), (201, 201)])
def test_samples_not_held_are_an_error(a: int, b: int) -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 200))
    buffer.discard_before(100)
    for read in (buffer.view, buffer.copy):
        with pytest.raises(IndexError, match=r"not within \[100, 200\)"):
            read(a, b)


def test_empty_ranges_within_are_empty() -> None:
    buffer = SampleBuffer()
    assert len(buffer.view(0, 0)) == 0
    buffer.append(ramp(0, 10))
    assert len(buffer.view(10, 10)) == 0


def test_a_view_is_read_only_and_no_copy() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 100))
    view = buffer.view(10, 90)
    assert np.shares_memory(view, buffer.view(0, 100))
    assert view.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1.0


def test_a_copy_is_the_callers_own() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 100))
    buffer.copy(0, 100)[:] = -1.0
    assert np.array_equal(buffer.view(0, 100), ramp(0, 100))


def test_a_view_outlives_discards_until_the_next_append() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 100_000))
    view = buffer.view(0, 50_000)
    large = reserved_bytes(buffer)
    buffer.discard_before(99_999)
    assert reserved_bytes(buffer) < large
    assert np.array_equal(view, ramp(0, 50_000))


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


def test_an_idle_stream_never_grows() -> None:
    # Ten minutes in windows of 32 ms with 0.2 s kept: what a channel does while nobody speaks.
    buffer = SampleBuffer()
    for end in range(512, 600 * 16000, 512):
        buffer.append(ramp(end - 512, end))
        buffer.discard_before(max(0, end - 3200))
        assert reserved_bytes(buffer) == INITIAL_CAPACITY * 4


def test_memory_comes_back_after_a_long_segment() -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, 60 * 16000))
    assert reserved_bytes(buffer) >= 60 * 16000 * 4
    buffer.discard_before(buffer.end - 3200)
    assert reserved_bytes(buffer) == INITIAL_CAPACITY * 4
    assert np.array_equal(buffer.view(buffer.start, buffer.end), ramp(956_800, 960_000))


def test_growth_is_amortised() -> None:
    buffer = SampleBuffer()
    sizes = set()
    for end in range(512, 2**20, 512):
        buffer.append(ramp(end - 512, end))
        sizes.add(reserved_bytes(buffer))
    assert len(sizes) <= 14


def test_two_dimensions_are_refused() -> None:
    buffer = SampleBuffer()
    with pytest.raises(ValueError, match="values to unpack"):
        buffer.append(np.zeros((1, 10), np.float32))
    assert buffer.end == 0


@pytest.mark.parametrize("kept", [3200, 7900, 20_000])
def test_a_sliding_window_moves_each_sample_a_bounded_number_of_times(kept: int) -> None:
    buffer = SampleBuffer()
    buffer.append(ramp(0, kept))
    step, moved, appended = 64, 0, 0
    for start in range(step, 400_000, step):
        place = buffer.view(start, start + 1).ctypes.data
        buffer.append(ramp(start - step + kept, start + kept))
        moved += len(buffer) if buffer.view(start, start + 1).ctypes.data != place else 0
        appended += step
        buffer.discard_before(start)
    assert moved <= 2 * appended


def test_a_sliding_window_stays_in_its_array() -> None:
    buffer = SampleBuffer()
    arrays = set()
    for end in range(512, 100_000, 512):
        buffer.append(ramp(end - 512, end))
        buffer.discard_before(max(0, end - 3200))
        arrays.add(buffer.view(end, end).base.ctypes.data)  # type: ignore[union-attr]
    assert len(arrays) == 1
