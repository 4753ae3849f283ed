"""Check of the exercise `two_thresholds`."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("two_thresholds")

curves = st.lists(st.floats(0, 1), max_size=60)
thresholds = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


def runs(found: list[bool]) -> int:
    return sum(speech for speech, _ in groupby(found))


def test_a_curve_between_the_thresholds_goes_on_but_does_not_begin() -> None:
    curve = [0.4, 0.6, 0.4, 0.3, 0.4, 0.5, 0.35, 0.34]
    assert answer.is_speech(curve, 0.5, 0.35) == [
        False, True, True, False, False, True, True, False,
    ]  # fmt: skip


def test_nothing() -> None:
    assert answer.is_speech([], 0.5, 0.35) == []


@given(curves, thresholds)
def test_each_window_is_explained(curve: list[float], both: list[float]) -> None:
    stay, start = both
    found = answer.is_speech(curve, start, stay)
    assert len(found) == len(curve)
    for index, (probability, speech) in enumerate(zip(curve, found, strict=True)):
        before = index > 0 and found[index - 1]
        assert speech == (probability >= start or (before and probability >= stay))


@given(curves, thresholds)
def test_it_never_flickers_more_than_one_threshold(curve: list[float], both: list[float]) -> None:
    stay, start = both
    assert runs(answer.is_speech(curve, start, stay)) <= runs([p >= start for p in curve])
