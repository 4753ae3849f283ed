"""Words and confidence for clients that need both: the model's own, or an estimate."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.http.spoken_words import (
    UNMEASURED_CONFIDENCE,
    GivenWord,
    confidence_of,
    mean_confidence,
    plain,
    spoken_words,
)


def test_without_times_words_are_as_long_as_they_have_letters() -> None:
    found = spoken_words({}, "I am here", 2.0, 3.4)
    assert [word.text for word in found] == ["I", "am", "here"]
    edges = [edge for word in found for edge in (word.start, word.end)]
    assert edges == pytest.approx([2.0, 2.2, 2.2, 2.6, 2.6, 3.4])
    assert {word.confidence for word in found} == {UNMEASURED_CONFIDENCE}


@given(
    text=st.text(),
    begin_s=st.floats(0, 1e4),
    length_s=st.floats(-1, 60),
)
def test_estimated_words_lie_one_behind_the_other(
    text: str, begin_s: float, length_s: float
) -> None:
    """Also if the speech is said to end before it begins."""
    found = spoken_words({}, text, begin_s, begin_s + length_s)
    assert [word.text for word in found] == text.split()
    edges = [edge for word in found for edge in (word.start, word.end)]
    assert all(a <= b for a, b in pairwise([begin_s, *edges]))
    assert not edges or edges[-1] <= begin_s + max(0.0, length_s) + 1e-6


def test_the_words_of_the_model_count() -> None:
    words = [{"text": "Yes.", "start_time": 1.0, "end_time": 1.5, "confidence": 0.7}]
    assert spoken_words({"words": words}, "Yes.", 0.0, 9.0) == [GivenWord("Yes.", 1.0, 1.5, 0.7)]


@pytest.mark.parametrize("words", [7, ["Yes."], [{"word": "Yes."}], None])
def test_what_a_model_of_ones_own_calls_words_may_be_something_else(words: object) -> None:
    (word,) = spoken_words({"words": words}, "Yes.", 0.0, 1.0)
    assert word == GivenWord("Yes.", 0.0, 1.0, UNMEASURED_CONFIDENCE)


@pytest.mark.parametrize(
    ("given_", "found"),
    [(0.5, 0.5), (1, 1.0), (1.5, None), (-0.1, None), (True, None), ("0.5", None), (None, None)],
)
def test_the_confidence_of_a_model(given_: object, found: float | None) -> None:
    assert confidence_of({"confidence": given_}) == found


def test_the_mean_is_of_those_that_were_measured() -> None:
    assert mean_confidence([0.5, None, 0.8]) == 0.65
    assert mean_confidence([None]) is None


def test_plain_text_has_neither_capitals_nor_punctuation_between_words() -> None:
    assert plain("“Isn't it?” — 50% of AT&T, No. 5.") == "isn't it 50% of at&t no 5"
