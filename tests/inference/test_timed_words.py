"""The words of a model's output: their shape, and their times in a stream."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.timed_words import disorder, placed, read_words
from streamer.models.timed_word import TimedWord

YES: dict[str, Any] = {"text": "yes", "start_time": 0.5, "end_time": 0.75, "confidence": 0.5}
ANY = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(ANY, ANY)), st.floats(0, 1e5), st.floats(0, 60))
def test_times_are_in_order_within_the_segment_and_never_overlap(
    times: list[tuple[float, float]], start_time: float, seconds: float
) -> None:
    """Whatever a model returns."""
    words = [YES | {"start_time": start, "end_time": end} for start, end in times]
    end_time = start_time + seconds
    found = placed(words, start_time, end_time)
    assert [word["text"] for word in found] == ["yes"] * len(times)
    flat = [time for word in found for time in (word["start_time"], word["end_time"])]
    assert flat == sorted(flat)
    assert all(start_time <= time <= end_time for time in flat)


@given(st.lists(st.integers(0, 5_000), max_size=20).map(sorted), st.integers(0, 10_000_000))
def test_words_in_order_are_where_the_model_has_them(times: list[int], start_ms: int) -> None:
    words = [
        YES | {"start_time": start / 1000, "end_time": end / 1000} for start, end in pairwise(times)
    ]
    found = placed(words, start_ms / 1000, start_ms / 1000 + 5)
    for word, (start, end) in zip(found, pairwise(times), strict=True):
        assert math.isclose(word["start_time"], (start_ms + start) / 1000, abs_tol=1e-9)
        assert math.isclose(word["end_time"], (start_ms + end) / 1000, abs_tol=1e-9)
    assert not list(disorder([TimedWord(**word) for word in words], 5))


def test_other_fields_of_words_are_kept() -> None:
    assert placed([YES | {"speaker": 1}], 2, 3) == [
        YES | {"speaker": 1, "start_time": 2.5, "end_time": 2.75}
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("yes", "'words' is \"yes\"; allowed: a list"),
        (["yes"], "'words[0]' is \"yes\"; allowed: an object with"),
        ([YES, YES | {"confidence": 1.2}], r"'words[1].confidence' is 1.2; allowed: a number from"),
        ([YES | {"start_time": None}], "'words[0].start_time' is null; allowed: a number"),
        ([YES | {"text": 3}], "'words[0].text' is 3; allowed: text"),
        ([{"text": "yes"}], "'words[0].start_time' is missing"),
    ],
)
def test_words_of_the_wrong_shape(words: object, message: str) -> None:
    with pytest.raises(ValueError, match="words") as problem:
        read_words({"text": "yes", "words": words})
    assert message in str(problem.value)


def test_no_words_are_no_mistake() -> None:
    assert read_words({"text": "yes"}) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([{"start_time": 0.8}], "'words[0]' starts at 0.8 s and ends before that, at 0.75 s"),
        ([{"end_time": 1.25}], "allowed: within the audio, 0 to 1 s"),
        ([{"start_time": -0.1}], "'words[0]' is from -0.1 s to 0.75 s"),
        ([{}, {"start_time": 0.7}], "'words[1]' starts at 0.7 s, before the word before it ends"),
    ],
)
def test_what_would_be_put_in_order(changes: list[dict[str, float]], sentence: str) -> None:
    words: list[dict[str, Any]] = [{**YES, **change} for change in changes]
    (found,) = disorder([TimedWord(**word) for word in words], 1.0)
    assert sentence in found
