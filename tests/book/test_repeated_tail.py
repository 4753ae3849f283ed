"""Check of the exercise `repeated_tail`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.models.moonshine.repetition import MAX_UNIT, repeated_tokens
from tests.book.exercise import load

answer = load("repeated_tail")


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([], 0),
        ([5], 0),
        ([5, 5], 0),
        ([5, 5, 5], 2),
        ([1, 2, 5, 5, 5, 5], 3),
        ([1, 2, 3, 2, 3, 2, 3], 4),
        ([3, 2, 3, 2, 3, 2, 3], 5),
        ([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], 0),
        ([7, 7, 7, 1], 0),
    ],
)
def test_examples(tokens: list[int], expected: int) -> None:
    assert answer.repeated_tail(tokens, longest=3, times=3) == expected


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(2, 5))
def test_it_is_the_servers(tokens: list[int], times: int) -> None:
    found = answer.repeated_tail(tokens, longest=MAX_UNIT, times=times)
    assert found == repeated_tokens(tokens, repeats=times)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True), st.integers(2, 6))
def test_the_phrase_stays_once(phrase: list[int], times: int) -> None:
    tokens = [99, *phrase * times]
    found = answer.repeated_tail(tokens, longest=6, times=times)
    assert tokens[: len(tokens) - found] == [99, *phrase]
