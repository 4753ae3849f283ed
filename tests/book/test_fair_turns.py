"""Check of the exercise `fair_turns`."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("fair_turns")


def taken(turns: Any) -> list[Any]:
    found = []
    while (job := turns.next()) is not None:
        found.append(job)
    return found


def test_a_session_with_many_jobs_waits_for_the_others() -> None:
    turns = answer.Turns()
    for job in ("a1", "a2", "a3", "b1", "c1", "b2"):
        turns.add(job[0], job)
    assert taken(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_a_session_that_comes_back_joins_at_the_end() -> None:
    turns = answer.Turns()
    turns.add("a", "a1")
    turns.add("b", "b1")
    assert turns.next() == "a1"
    turns.add("a", "a2")
    assert taken(turns) == ["b1", "a2"]


def test_what_is_withdrawn_is_gone_with_its_place() -> None:
    turns = answer.Turns()
    for job in ("a1", "b1", "b2"):
        turns.add(job[0], job)
    assert turns.withdraw("a", "a1")
    assert not turns.withdraw("a", "a1")
    assert not turns.withdraw("z", "z1")
    turns.add("a", "a2")
    assert turns.withdraw("b", "b1")
    assert taken(turns) == ["b2", "a2"]


@given(st.lists(st.integers(0, 4), max_size=40))
def test_no_session_is_served_twice_while_another_waits(sessions: list[int]) -> None:
    turns = answer.Turns()
    for number, session in enumerate(sessions):
        turns.add(session, (session, number))
    found = taken(turns)
    assert sorted(found) == sorted((s, n) for n, s in enumerate(sessions))
    rounds = [session for session, _ in found]
    while rounds:
        here = list(dict.fromkeys(rounds))
        assert rounds[: len(here)] == here, "one turn for each session that waits"
        rounds = rounds[len(here) :]
