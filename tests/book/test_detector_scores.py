"""Check of the exercise `detector_scores`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("detector_scores")

intervals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple))


def test_a_detector_that_is_late_and_stays_too_long() -> None:
    assert answer.scores([(20, 60)], [(10, 50)], 100) == pytest.approx((0.75, 0.75, 1 / 6))


def test_overlapping_intervals_count_once() -> None:
    assert answer.scores([(0, 30), (20, 40)], [(30, 40), (0, 40)], 50) == (1.0, 1.0, 0.0)


def test_what_does_not_exist_is_none() -> None:
    assert answer.scores([], [(0, 10)], 20) == (None, 0.0, 0.0)
    assert answer.scores([(0, 5)], [], 20) == (0.0, None, 0.25)
    assert answer.scores([(0, 20)], [(0, 20)], 20) == (1.0, 1.0, None)
    assert answer.scores([], [], 0) == (None, None, None)


def test_what_is_beyond_the_recording_does_not_count() -> None:
    assert answer.scores([(5, 100)], [(0, 10)], 10) == (1.0, 0.5, None)


@given(intervals, intervals, st.integers(0, 70))
def test_shares_of_frames(
    found: list[tuple[int, int]], labelled: list[tuple[int, int]], frames: int
) -> None:
    hits = {frame for start, end in found for frame in range(start, end) if frame < frames}
    speech = {frame for start, end in labelled for frame in range(start, end) if frame < frames}
    silence = set(range(frames)) - speech
    pairs = ((hits, speech), (speech, hits), (silence, hits))
    expected = [len(whole & part) / len(whole) if whole else None for whole, part in pairs]
    assert list(answer.scores(found, labelled, frames)) == expected
