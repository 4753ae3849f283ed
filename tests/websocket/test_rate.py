"""A rate that is kept by waiting, and time that is left over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config.limits import LimitsConfig
from streamer.websocket.rate import (
    ACTIVE_S,
    MAX_SAVED_S,
    SPARE_SHARE,
    ReadPacing,
    SpareTime,
    TokenBucket,
)


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


def test_what_is_forgiven_is_not_waited_for() -> None:
    bucket = TokenBucket(100)
    assert bucket.take(10_000, 0.0) == pytest.approx(99)
    bucket.forgive()
    assert bucket.take(1, 0.0) == pytest.approx(0.01)


# Spare time

FLOOD, OTHER_FLOOD, LIVE, ALSO_LIVE = "flood", "other flood", "live", "also live"


def test_alone_all_time_is_spare() -> None:
    spare = SpareTime()
    spare.note_active(FLOOD, 0.0)  # until it was over the limit
    for now_s in (0.0, 0.1, 5.0):
        assert spare.wait_s(FLOOD, now_s) == 0
        spare.spend(0.1, now_s)


def test_several_floods_alone_do_not_limit_one_another() -> None:
    spare = SpareTime()
    for _ in range(10):
        for flood in (FLOOD, OTHER_FLOOD):
            assert spare.wait_s(flood, 0.0) == 0
            spare.spend(1.0, 0.0)


def test_beside_another_a_share_is_spare() -> None:
    spare = SpareTime()
    spare.note_active(LIVE, 0.0)
    spare.note_active(FLOOD, 0.0)
    spare.spend(0.01 + MAX_SAVED_S, 0.0)
    wait_s = spare.wait_s(FLOOD, 0.0)
    assert wait_s == pytest.approx(0.01 / SPARE_SHARE)
    assert spare.wait_s(FLOOD, wait_s / 2) == pytest.approx(wait_s / 2)
    assert spare.wait_s(FLOOD, wait_s + 0.001) == 0


@pytest.mark.parametrize("how", ["idle", "lost"])
def test_one_that_is_not_there_any_more_limits_nobody(how: str) -> None:
    spare = SpareTime()
    for connection in (FLOOD, LIVE):
        spare.note_active(connection, 0.0)
    spare.spend(100.0, 0.0)
    assert spare.wait_s(FLOOD, 0.5) > 0
    if how == "lost":
        spare.forget(LIVE)
    assert spare.wait_s(FLOOD, 0.5 if how == "lost" else ACTIVE_S + 0.01) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([LIVE, ALSO_LIVE, FLOOD, OTHER_FLOOD]), st.floats(1e-5, 0.01)),
        max_size=200,
    )
)
def test_floods_together_get_no_more_than_the_share(steps: list[tuple[str, float]]) -> None:
    """While others are active; each waits as told, and the last piece may be too much."""
    spare, now_s, spent_s, most_s = SpareTime(), 0.0, 0.0, 0.0
    for who, seconds in [(LIVE, 0.0), *steps]:
        if who in (LIVE, ALSO_LIVE):
            spare.note_active(who, now_s)
            continue
        now_s += spare.wait_s(who, now_s) + seconds
        spare.note_active(LIVE, now_s)
        spare.spend(seconds, now_s)
        spent_s, most_s = spent_s + seconds, max(most_s, seconds)
        assert spent_s <= SPARE_SHARE * now_s + MAX_SAVED_S + most_s + 1e-9


@pytest.mark.parametrize("gap_s", [0.001, 0.02, 0.09, 0.11, 0.5])
def test_a_connection_is_active_as_long_as_it_sends(gap_s: float) -> None:
    spare = SpareTime()
    live = ReadPacing(LimitsConfig(max_messages_per_second=2_000), spare)
    for number in range(200):
        now_s = number * gap_s
        assert live.count(1, 0, now_s) is None
        spare.spend(1.0, now_s)
        assert spare.wait_s(FLOOD, now_s + gap_s) > 0
    last_s = 199 * gap_s
    assert spare.wait_s(FLOOD, last_s + ACTIVE_S + 1e-6) == 0
