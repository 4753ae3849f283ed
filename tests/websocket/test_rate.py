"""A rate that is kept by waiting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.websocket.rate import TokenBucket


def test_a_second_of_it_at_once_and_then_the_rate() -> None:
    bucket = TokenBucket(100)
    assert bucket.take(100, 0.0) == 0.0
    assert bucket.take(50, 0.0) == pytest.approx(0.5)
    assert bucket.take(1, 0.5) == pytest.approx(0.01)


def test_zero_is_no_limit() -> None:
    assert TokenBucket(0).take(10**9, 0.0) == 0.0


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0, 3)), max_size=50))
def test_whoever_waits_as_told_keeps_the_rate(steps: list[tuple[int, float]]) -> None:
    bucket, now_s, taken = TokenBucket(100), 0.0, 0
    for count, pause_s in steps:
        now_s += pause_s
        taken += count
        now_s += bucket.take(count, now_s)
        assert taken <= 100 * (now_s + 1) + 1e-6
