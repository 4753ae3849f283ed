"""Check of the exercise `word_errors`; jiwer is the judge."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("word_errors")

texts = st.lists(st.sampled_from("abc"), max_size=8)


@pytest.mark.parametrize(
    ("reference", "transcript", "errors"),
    [
        ("it was the best", "it was the best", (0, 0, 0)),
        ("it was the best", "it is the best", (1, 0, 0)),
        ("it was the best", "it the best", (0, 1, 0)),
        ("it was the best", "so it was the very best", (0, 0, 2)),
        ("", "thank you", (0, 0, 2)),
        ("thank you", "", (0, 2, 0)),
        ("a b", "b c", (2, 0, 0)),
    ],
)
def test_examples(reference: str, transcript: str, errors: tuple[int, int, int]) -> None:
    assert answer.word_errors(reference.split(), transcript.split()) == errors


@given(texts.filter(bool), texts)
def test_the_sum_is_the_least(reference: list[str], transcript: list[str]) -> None:
    found = answer.word_errors(reference, transcript)
    judged = jiwer.process_words(" ".join(reference), " ".join(transcript))
    least = judged.substitutions + judged.deletions + judged.insertions
    assert sum(found) == least
    assert found.added - found.left_out == len(transcript) - len(reference)


def test_longer_recordings_count_more() -> None:
    pairs = [(["a"] * 9, ["a"] * 9), (["b"], ["c"])]
    assert answer.error_rate(pairs) == pytest.approx(0.1)
    assert answer.error_rate([(["a"], ["b", "c", "d"])]) == pytest.approx(3.0)
    assert answer.error_rate([([], [])]) is None
