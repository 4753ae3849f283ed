"""Check of the exercise `early_start`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("early_start")


def test_as_late_as_possible() -> None:
    start = answer.EarlyStart(0.02, 0.08)
    assert start.start_s(5.0, 0.25, 0.55) == pytest.approx(0.55 - 1.2 * 0.1 - 0.08)


def test_never_within_the_padding() -> None:
    start = answer.EarlyStart(0.02, 0.08)
    assert start.start_s(20.0, 0.25, 0.55) == 0.25


def test_it_follows_what_finals_take() -> None:
    start = answer.EarlyStart(0.1, 0.0)
    start.on_final(0.5, 10.0, 0.0)
    assert start.start_s(1.0, 0.0, 1.0) == pytest.approx(1 - 1.2 * (0.1 + (0.05 - 0.1) / 16))
    for _ in range(200):
        start.on_final(0.5, 10.0, 0.0)
    assert start.start_s(1.0, 0.0, 1.0) == pytest.approx(1 - 1.2 * 0.05, abs=1e-4)


def test_a_short_final_is_no_measure() -> None:
    start = answer.EarlyStart(0.1, 0.0)
    start.on_final(5.0, 0.9, 0.0)
    assert start.start_s(1.0, 0.0, 1.0) == pytest.approx(1 - 0.12)


@given(st.floats(0, 100))
def test_a_queue_does_not_make_itself_longer(queued_s: float) -> None:
    start, calm = answer.EarlyStart(0.1, 0.08), answer.EarlyStart(0.1, 0.08)
    for _ in range(5):
        start.on_final(0.3, 2.0, queued_s)
        calm.on_final(0.3, 2.0, 0.0)
    assert start.start_s(3.0, 0.25, 0.55) == calm.start_s(3.0, 0.25, 0.55)
