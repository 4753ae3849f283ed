"""Check of the exercise `token_frames`."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("token_frames")


def total(scores: list[list[float]], bounds: tuple[int, ...]) -> float:
    """The sum of a path: token i has the frames from bounds[i] to before bounds[i + 1]."""
    return sum(
        sum(row[first:end]) for row, (first, end) in zip(scores, pairwise(bounds), strict=True)
    )


@st.composite
def tables(draw: st.DrawFn) -> list[list[float]]:
    tokens = draw(st.integers(1, 4))
    frames = draw(st.integers(tokens, 8))
    row = st.lists(st.integers(-5, 5).map(float), min_size=frames, max_size=frames)
    return draw(st.lists(row, min_size=tokens, max_size=tokens))


def test_each_token_has_its_frames() -> None:
    scores = [
        [-1, 3, 2, -1, -1, -1, -1],
        [-1, -1, -1, 4, -1, -1, -1],
        [-1, -1, -1, -1, 1, 2, -1],
    ]
    found = [tuple(frames) for frames in answer.token_frames(scores)]
    assert found == [(1, 2), (3, 3), (4, 5)]


def test_no_tokens() -> None:
    assert answer.token_frames([]) == []


@given(tables())
def test_no_path_is_better(scores: list[list[float]]) -> None:
    found = answer.token_frames(scores)
    assert len(found) == len(scores)
    assert all(first <= last for first, last in found)
    assert all(later.first == earlier.last + 1 for earlier, later in pairwise(found))
    bounds = (*(first for first, _ in found), found[-1].last + 1)
    best = max(
        total(scores, path) for path in combinations(range(len(scores[0]) + 1), len(scores) + 1)
    )
    assert total(scores, bounds) == pytest.approx(best)


def test_a_minute_takes_no_time_to_speak_of() -> None:
    """Trying all paths would never end."""
    scores = [
        [1.0 if frame // 8 == token else 0.0 for frame in range(1_600)] for token in range(200)
    ]
    found = answer.token_frames(scores)
    assert [first for first, _ in found] == [8 * token for token in range(200)]
