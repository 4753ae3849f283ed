"""Check of the exercise `expected_wait`."""

import pytest

from tests.book.exercise import load

answer = load("expected_wait")


def test_nothing_waits_after_a_quiet_hour() -> None:
    pool = answer.Pool(2, [], 0.1, 0.02, None)
    assert answer.expected_wait_s(pool, 3_600.0) == 0


def test_each_session_that_waits_has_a_turn_before() -> None:
    pool = answer.Pool(2, [5.0] * 8, 0.1, 0.02, 100.0)
    assert answer.expected_wait_s(pool, 100.0) == pytest.approx(8 * 0.1 / 2)


def test_short_segments_after_long_recordings() -> None:
    """The mean is that of recordings of a minute each."""
    pool = answer.Pool(2, [1.0] * 4, 20.0, 0.33, 100.0)
    assert answer.expected_wait_s(pool, 100.0) == pytest.approx(4 * 0.33 / 2)


def test_a_long_segment_after_very_short_ones() -> None:
    """The factor is that of segments of half a second, which cost more than their length."""
    pool = answer.Pool(1, [10.0], 0.1, 0.2, 100.0)
    assert answer.expected_wait_s(pool, 100.0) == pytest.approx(0.1)


def test_workers_that_hang() -> None:
    pool = answer.Pool(2, [1.0], 0.1, 0.02, 100.0)
    assert answer.expected_wait_s(pool, 130.0) == pytest.approx(30.0)
