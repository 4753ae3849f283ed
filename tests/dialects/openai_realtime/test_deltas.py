"""Deltas only append, and are the transcript wherever the interims were right."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from streamer.dialects.openai_realtime.deltas import GrowingText, best_prefix, common_prefix

WORDS = st.lists(st.sampled_from(["ever", "tried.", "Ever", "failed", "no", "matter,"]), max_size=8)
TEXTS = WORDS.map(" ".join)


def deltas(interims: list[str], final: str) -> list[str]:
    text = GrowingText()
    return [*map(text.interim, interims), text.final(final)]


def test_two_interims_have_to_agree_on_a_word_that_is_not_their_last() -> None:
    interims = ["Ever", "Ever tried.", "Ever tried ever.", "Ever tried ever failed."]
    assert deltas(interims, "Ever tried ever failed. No matter.") == [
        "",
        "Ever",
        "",
        " tried",
        " ever failed. No matter.",
    ]


def test_the_last_word_of_an_interim_waits_also_if_both_have_it() -> None:
    assert deltas(["Ever tried.", "Ever tried."], "Ever tried again.") == [
        "",
        "Ever",
        " tried again.",
    ]


def test_without_interims_there_is_one_delta() -> None:
    assert deltas([], " Ever tried. ") == ["Ever tried."]
    assert deltas([], "") == [""]


def test_a_wrong_word_stays_and_the_rest_follows() -> None:
    interims = ["I'd less to be rather", "I'd less to be rather cold"]
    assert deltas(interims, "Unless to be rather cold and selfish")[1:] == [
        "I'd less to be rather",
        " cold and selfish",
    ]


@given(st.lists(TEXTS), TEXTS)
def test_joined_they_are_the_final_unless_a_sent_word_was_wrong(
    interims: list[str], final: str
) -> None:
    parts = deltas(interims, final)
    before = "".join(parts[:-1]).split()
    if final.split()[: len(before)] == before:
        assert "".join(parts) == final
    else:
        rest = parts[-1].split()
        assert final.split()[len(final.split()) - len(rest) :] == rest


@given(st.lists(TEXTS), TEXTS)
def test_each_word_that_is_sent_early_is_in_two_successive_interims(
    interims: list[str], final: str
) -> None:
    parts = deltas(interims, final)
    pairs = [common_prefix(a.split(), b.split()) for a, b in itertools.pairwise(interims)]
    for count in range(1, len(parts)):
        sent = "".join(parts[:count]).split()
        assert not sent or any(agreed[: len(sent)] == sent for agreed in pairs[: count - 1])


@given(TEXTS, st.integers(0, 20))
def test_interims_that_only_grow_give_the_final(final: str, step: int) -> None:
    words = final.split()
    interims = [" ".join(words[:size]) for size in range(0, len(words), step + 1)]
    assert "".join(deltas(interims, final)) == final


@given(WORDS, WORDS)
def test_the_best_prefix_is_the_text_itself_if_that_is_its_beginning(
    sent: list[str], rest: list[str]
) -> None:
    assert best_prefix(sent, sent + rest) == len(sent)
    assert 0 <= best_prefix(sent, rest) <= len(rest)
