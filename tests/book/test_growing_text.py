"""Check of the exercise `growing_text`."""

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("growing_text")

texts = st.lists(st.sampled_from("abc"), max_size=6).map(" ".join)


def test_a_word_comes_when_two_interims_agree() -> None:
    text = answer.GrowingText()
    assert text.interim("It was the") == []
    assert text.interim("It was the best of dimes") == ["It", "was", "the"]
    assert text.interim("It was the best of times it") == ["best", "of"]
    assert text.final("It was the best of times, it was") == ["times,", "it", "was"]


def test_what_was_sent_stays() -> None:
    text = answer.GrowingText()
    text.interim("I scream for")
    assert text.interim("I scream for ice") == ["I", "scream", "for"]
    assert text.interim("Ice cream for ice cream") == []
    assert text.interim("Ice cream for ice cream now") == []
    assert text.final("Ice cream for ice cream") == ["ice", "cream"]


@given(texts, st.lists(st.integers(0, 6), max_size=8))
def test_interims_that_only_grow_give_the_final_text(final: str, lengths: list[int]) -> None:
    text, words = answer.GrowingText(), final.split()
    sent: list[str] = []
    for length in sorted(lengths):
        sent += text.interim(" ".join(words[:length]))
        assert sent == words[: len(sent)]
        assert len(sent) < max(1, min(length, len(words)))
    assert sent + text.final(final) == words


@given(st.lists(texts, min_size=1, max_size=6), texts)
def test_any_interims(interims: list[str], final: str) -> None:
    """A word is sent only if this interim and the last one have it in its place."""
    text = answer.GrowingText()
    sent: list[str] = []
    last: list[str] = []
    for interim in interims:
        words = interim.split()
        agreed = 0
        while agreed < min(len(last), len(words)) and last[agreed] == words[agreed]:
            agreed += 1
        due = words[: min(agreed, len(words) - 1)] if words else []
        expected = due[len(sent) :] if due[: len(sent)] == sent else []
        assert text.interim(interim) == expected
        sent, last = sent + expected, words
    assert text.final(final) == final.split()[len(sent) :]
