"""Check of the exercise `idle_deadline`."""

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("idle_deadline")

LIMIT_S = 30.0
gaps = st.lists(st.integers(1, 45).map(float), max_size=60)


def play(times: list[float], due: list[tuple[float, float]]) -> tuple[float, int]:
    """When the client is found idle, and how often was checked; as the sleeping task does it."""
    deadline = answer.IdleDeadline(LIMIT_S, 0.0)
    messages = iter([*times, float("inf")])
    message_s = next(messages)
    now_s, checks = 0.0, 0
    while True:
        checks += 1
        is_due = any(start <= now_s < end for start, end in due)
        next_s = deadline.check(now_s, result_is_due=is_due)
        if next_s is None:
            return now_s, checks
        assert next_s > now_s
        while message_s <= next_s:
            deadline.on_message(message_s)
            message_s = next(messages)
        now_s = next_s


@given(gaps)
def test_it_is_idle_after_the_first_long_gap(gaps_s: list[float]) -> None:
    times = [sum(gaps_s[: index + 1]) for index in range(len(gaps_s))]
    last_s = 0.0
    for time_s in times:
        if time_s - last_s > LIMIT_S:
            break
        last_s = time_s
    idle_s, _ = play(times, [])
    assert abs(idle_s - (last_s + LIMIT_S)) < 1e-6


def test_a_busy_client_is_seldom_looked_at() -> None:
    times = [0.02 * number for number in range(1, 3_001)]  # a minute
    idle_s, checks = play(times, [])
    assert abs(idle_s - (times[-1] + LIMIT_S)) < 1e-6
    assert checks <= 5


def test_a_client_that_waits_for_a_result_is_not_idle() -> None:
    idle_s, _ = play([1.0], [(0.5, 100.0)])
    assert 100.0 + 0.0 < idle_s <= 100.0 + 2 * LIMIT_S


def test_its_time_begins_anew_after_the_result() -> None:
    deadline = answer.IdleDeadline(LIMIT_S, 0.0)
    assert deadline.check(29.0, result_is_due=True) == 59.0
    assert deadline.check(59.0, result_is_due=False) is None
    assert deadline.check(58.0, result_is_due=False) == 59.0
