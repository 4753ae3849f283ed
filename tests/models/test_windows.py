"""Cutting segments into windows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.models.classifier.windows import WindowCutter
from streamer.weights.manifest_schema import ClassifierSettings


@given(st.data(), st.integers(1, 500))
def test_windows_hold_every_sample_once_or_more_in_order_and_nothing_else(
    data: st.DataObject, count: int
) -> None:
    longest = data.draw(st.integers(1, 100))
    hop = data.draw(st.integers(1, longest))
    cutter = WindowCutter(1, longest, hop, "zeros")
    segment = np.arange(count, dtype=np.float32)
    cut = cutter.cut(segment)
    starts = [int(window[0]) for window in cut]
    assert all(np.array_equal(w, segment[s : s + len(w)]) for s, w in zip(starts, cut, strict=True))
    assert {len(window) for window in cut} == {min(count, longest)}
    assert starts == sorted(set(starts))
    assert all(start % hop == 0 for start in starts[:-1])
    assert set(np.concatenate(cut)) == set(segment)


@given(st.integers(0, 50), st.integers(1, 50), st.sampled_from(["zeros", "repeat"]))
def test_a_short_segment_is_padded_to_one_window(count: int, shortest: int, padding: str) -> None:
    cutter = WindowCutter(shortest, None, 1, "repeat" if padding == "repeat" else "zeros")
    segment = np.arange(1, count + 1, dtype=np.float32)
    (window,) = cutter.cut(segment)
    assert window.dtype == np.float32
    assert len(window) == max(count, shortest)
    for index, sample in enumerate(window):
        if padding == "repeat" and count:
            assert sample == segment[index % count]
        else:
            assert sample == (segment[index] if index < count else 0)


def test_lengths_are_given_in_seconds() -> None:
    settings = ClassifierSettings(scores=("a",), min_seconds=0.5, max_seconds=2, hop_seconds=0.25)
    assert WindowCutter.of(settings, 8_000) == WindowCutter(4_000, 16_000, 2_000, "zeros")
    assert WindowCutter.of(ClassifierSettings(scores=("a",), max_seconds=2), 8_000).hop == 16_000
    assert WindowCutter.of(ClassifierSettings(scores=("a",)), 8_000).longest is None
