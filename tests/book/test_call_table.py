"""Check of the exercise `call_table`."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("call_table")

INPUTS = ("start", "audio", "hold", "resume", "stop", "gone")


def play(inputs: list[str]) -> tuple[str, list[str]]:
    """The state and all actions after a sequence, from a new recorder on."""
    state, actions = "READY", list[str]()
    for given_ in inputs:
        state, more = answer.TABLE[state][given_]
        actions += more
    return state, actions


def test_the_table_is_complete() -> None:
    cells = {(state, given_) for state, row in answer.TABLE.items() for given_ in row}
    expected = set(product(("READY", "RECORDING", "HELD", "OVER"), INPUTS))
    assert expected - cells == set(), "these cells are missing"
    assert cells - expected == set(), "there are no such states or inputs"


@pytest.mark.parametrize(
    ("inputs", "state", "actions"),
    [
        ("start audio audio stop", "READY", "open write write close"),
        ("start audio hold audio resume audio stop", "READY", "open write mark write close"),
        ("start hold hold resume resume audio", "RECORDING", "open mark write"),
        ("start hold stop start", "RECORDING", "open mark close open"),
        ("audio hold resume stop", "READY", "complain complain complain complain"),
        ("start start", "RECORDING", "open complain"),
        ("start hold start", "HELD", "open mark complain"),
        ("start gone stop audio", "OVER", "open close"),
        ("start hold gone gone", "OVER", "open mark close"),
        ("gone start", "OVER", ""),
    ],
)
def test_lives(inputs: str, state: str, actions: str) -> None:
    assert play(inputs.split()) == (state, actions.split())


@given(st.lists(st.sampled_from(INPUTS), max_size=40))
def test_a_file_is_open_when_it_is_written_and_closed_at_the_end(inputs: list[str]) -> None:
    _, actions = play([*inputs, "gone"])
    is_open = False
    for action in actions:
        match action:
            case "open":
                assert not is_open
                is_open = True
            case "write" | "mark":
                assert is_open
            case "close":
                assert is_open
                is_open = False
    assert not is_open
