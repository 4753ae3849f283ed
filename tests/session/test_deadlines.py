"""When a socket's time is up."""

import pytest

from streamer.config.limits import LimitsConfig
from streamer.session.deadlines import Deadlines, Expired

LIMITS = LimitsConfig(
    start_seconds=10, idle_seconds=30, max_lag_seconds=60, max_session_seconds=1_000
)


def deadlines(limits: LimitsConfig = LIMITS, last_message_s: float | None = 0.0) -> Deadlines:
    made = Deadlines(limits, 0.0)
    made.last_message_s = last_message_s
    return made


def test_the_first_message_has_a_deadline_of_its_own() -> None:
    fresh = deadlines(last_message_s=None)
    assert fresh.check(0.0, oldest_s=None, idle_since_s=0.0) == (None, 10.0)
    assert fresh.check(10.0, oldest_s=None, idle_since_s=0.0)[0] is Expired.NO_START
    fresh.last_message_s = 9.0
    assert fresh.check(10.0, oldest_s=None, idle_since_s=0.0) == (None, 30.0)


def test_quiet_counts_from_the_last_message() -> None:
    heard = deadlines(last_message_s=5.0)
    assert heard.check(34.9, oldest_s=None, idle_since_s=0.0)[0] is None
    assert heard.check(35.0, oldest_s=None, idle_since_s=0.0)[0] is Expired.IDLE


def test_a_client_that_waits_for_the_server_is_not_quiet() -> None:
    heard = deadlines()
    assert heard.check(40.0, oldest_s=None, idle_since_s=None)[0] is None
    assert heard.check(69.0, oldest_s=None, idle_since_s=40.0)[0] is None
    assert heard.check(70.0, oldest_s=None, idle_since_s=40.0)[0] is Expired.IDLE


def test_audio_that_waits_is_warned_about_once_and_then_too_much() -> None:
    heard = deadlines()
    checks = [heard.check(t, oldest_s=100.0, idle_since_s=None)[0] for t in (119, 120, 121, 160)]
    assert checks == [None, Expired.LAGGING, None, Expired.OVERLOADED]


def test_no_socket_lives_for_ever() -> None:
    heard = deadlines(last_message_s=999.0)
    assert heard.check(999.9, oldest_s=None, idle_since_s=999.0) == (None, 1_000.0)
    assert heard.check(1_000.0, oldest_s=None, idle_since_s=999.0)[0] is Expired.TOO_LONG


@pytest.mark.parametrize("oldest_s", [None, 0.0])
def test_zero_is_no_deadline(oldest_s: float | None) -> None:
    limits = LimitsConfig(start_seconds=0, idle_seconds=0, max_lag_seconds=0, max_session_seconds=0)
    endless = deadlines(limits, last_message_s=None)
    assert endless.check(1e9, oldest_s=oldest_s, idle_since_s=0.0) == (None, None)


@pytest.mark.parametrize("idle_since_s", [None, 100.0])
@pytest.mark.parametrize("oldest_s", [None, 100.0])
def test_looking_again_when_told_to_misses_nothing(
    oldest_s: float | None, idle_since_s: float | None
) -> None:
    """Whatever becomes true after a look, at once, is not due before the next look."""
    heard = deadlines(last_message_s=100.0)
    _, next_s = heard.check(100.0, oldest_s=oldest_s, idle_since_s=idle_since_s)
    assert next_s is not None
    for oldest in (None, 100.0):
        for idle in (None, 100.0):
            due, _ = heard.check(next_s - 0.001, oldest_s=oldest, idle_since_s=idle)
            assert due is None
