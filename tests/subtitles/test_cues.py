"""Timed text as cues that can be read: their order, their limits, and where they are broken."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamer.subtitles.cues import Cue, TimedText, cues_of
from streamer.subtitles.times import WordSpan
from streamer.subtitles.words import one_line

SENTENCE = "It was the best of times."
LONG = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age "
    "of foolishness, it was the epoch of belief, it was the epoch of incredulity."
)


def texts(cues: list[Cue]) -> list[str]:
    return [" ".join(cue.lines) for cue in cues]


def spans(cues: list[Cue]) -> list[tuple[int, int]]:
    return [(cue.start_ms, cue.end_ms) for cue in cues]


def test_a_short_segment_is_one_cue_with_its_times() -> None:
    assert cues_of([TimedText(3.2, 5.94, SENTENCE)], 1) == [Cue(3200, 0, 5940, (SENTENCE,), None)]


def test_sentences_are_cues_of_their_own() -> None:
    said = "This is the first one. And here we have the second one? The third is a little longer!"
    cues = cues_of([TimedText(10, 16, said)], 1)
    assert texts(cues) == [
        "This is the first one.",
        "And here we have the second one?",
        "The third is a little longer!",
    ]
    assert [cue.start_ms for cue in cues][1:] == [cue.end_ms for cue in cues][:-1]
    assert (cues[0].start_ms, cues[-1].end_ms) == (10_000, 16_000)


def test_a_sentence_that_would_flash_stays_with_the_next_one() -> None:
    assert texts(cues_of([TimedText(0, 2, "Yes. I think that it is so.")], 1)) == [
        "Yes. I think that it is so."
    ]


def test_a_long_sentence_is_broken_at_its_clauses() -> None:
    cues = cues_of([TimedText(0, 10, LONG)], 1)
    assert len(cues) > 1
    assert all(text.endswith((",", ".")) for text in texts(cues))


def test_lines_end_with_punctuation_where_they_can() -> None:
    (cue,) = cues_of([TimedText(0, 5, "When the rain had stopped, all of us went out again.")], 1)
    assert cue.lines == ("When the rain had stopped,", "all of us went out again.")


@pytest.mark.parametrize(
    "said",
    [
        "Mr. Smith and Dr. Jones met J. R. Hartley, e.g. in the old town hall.",
        "We paid 3.5 million for it, i.e. too much.",
    ],
)
def test_a_stop_that_ends_no_sentence(said: str) -> None:
    assert len(cues_of([TimedText(0, 6, said)], 1)) == 1


def test_a_text_of_few_words_that_takes_long_is_not_cut_to_pieces() -> None:
    assert spans(cues_of([TimedText(0, 30, "So yeah")], 1)) == [(0, 7000)]


def test_a_text_that_takes_long_is_broken_at_words() -> None:
    cues = cues_of([TimedText(0, 12, "one hundred and twenty three thousand")], 1)
    assert len(cues) == 2
    assert all(end - start <= 7000 for start, end in spans(cues))


def test_scripts_without_spaces_are_broken_at_their_punctuation() -> None:
    said = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。" * 3
    cues = cues_of([TimedText(0, 20, said)], 1)
    assert all(line.endswith("。") for cue in cues for line in cue.lines)
    assert "".join("".join(cue.lines) for cue in cues) == said


def test_a_very_long_word_is_cut() -> None:
    (cue,) = cues_of([TimedText(0, 5, "x" * 60)], 1)
    assert cue.lines == ("x" * 30, "x" * 30)
    assert len(cues_of([TimedText(0, 5, "か\u3099" * 60)], 1)) == 2


def test_a_letter_is_not_cut_from_its_accent() -> None:
    cues = cues_of([TimedText(0, 5, "e\u0301" * 53)], 1)
    assert all(line[0] == "e" for cue in cues for line in cue.lines)


def test_channels_are_mixed_in_order_of_time() -> None:
    long = TimedText(0, 14, f"{SENTENCE} {SENTENCE} {SENTENCE}", 1)
    short = TimedText(4.8, 6, "Really?", 0)
    cues = cues_of([long, short], 2)
    assert [cue.channel for cue in cues] == [1, 1, 0, 1]
    assert {cue.speaker for cue in cues} == {"channel 1", "channel 2"}


def test_the_mark_of_a_channel_counts_as_part_of_the_line() -> None:
    said = "a" * 20 + " " + "b" * 20
    assert len(cues_of([TimedText(0, 5, said)], 1)[0].lines) == 1
    assert len(cues_of([TimedText(0, 5, said)], 2)[0].lines) == 2


@pytest.mark.parametrize("said", ["", "  \n", "\x00\x1b"])
def test_nothing_to_read_is_no_cue(said: str) -> None:
    assert cues_of([TimedText(0, 1, said)], 1) == []


LETTERS = "aZé,.!?…;:-–>&<\"»' \t\n\r\x00\x1b\x85\u2028\u0301\u3099\u200d猫。、」👩\u00a0"
WORDS = st.one_of(
    st.text(LETTERS, min_size=1, max_size=12),
    st.sampled_from(["and", "so,", "it.", "“Why?”", "Mr.", "吾輩は猫である。", "-->", "x" * 100]),
)
SAID = st.lists(WORDS, max_size=60).map(" ".join)


@st.composite
def timed_texts(draw: st.DrawFn) -> TimedText:
    start_s = draw(st.floats(0, 100))
    length_s = draw(st.one_of(st.just(0.0), st.floats(0, 60)))
    return TimedText(start_s, start_s + length_s, draw(SAID), draw(st.integers(0, 2)))


@given(said=st.lists(timed_texts(), max_size=6), channels=st.sampled_from([1, 3]))
@example(said=[TimedText(0, 0, "x y. " * 90)] * 2, channels=1)
def test_any_texts(said: list[TimedText], channels: int) -> None:
    if channels == 1:
        said = [each._replace(channel=0) for each in said]
    cues = cues_of(said, channels)
    assert cues == sorted(cues)
    said.sort(key=lambda each: (each.start_s, each.channel))
    for channel in range(channels):
        own = [cue for cue in cues if cue.channel == channel]
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(own))
        kept = "".join("".join(cue.lines) for cue in own)
        expected = "".join(one_line(each.text) for each in said if each.channel == channel)
        assert kept.replace(" ", "") == expected.replace(" ", "")
    for cue in cues:
        assert 0 < cue.end_ms - cue.start_ms <= 7000
        assert 1 <= len(cue.lines) <= 2
        assert all(line.strip() == line != "" for line in cue.lines)
        assert all(len(line) <= 42 for line in cue.lines)
        label = f"<v {cue.speaker}>" if cue.speaker else ""
        assert len(label + cue.lines[0]) <= 42
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", "".join(cue.lines))


@given(
    words=st.lists(
        st.sampled_from(["a", "to", "word,", "longer", "sentence.", "Yes!"]), min_size=1
    ),
    seconds_a_character=st.floats(0.04, 0.2),
)
def test_speech_at_any_usual_speed_is_shown_long_enough(
    words: list[str], seconds_a_character: float
) -> None:
    said = " ".join(words)
    lasts_s = len(said) * seconds_a_character
    for start_ms, end_ms in spans(cues_of([TimedText(0, lasts_s, said)], 1)):
        assert (end_ms - start_ms) / 1000 >= min(lasts_s, 5 / 6) - 0.002


# --- With the times of words ---


def spans_of(*times: float) -> tuple[WordSpan, ...]:
    return tuple(WordSpan(*pair) for pair in zip(times[::2], times[1::2], strict=True))


def test_a_cue_begins_and_ends_with_its_words() -> None:
    """There is a pause between the sentences; the text begins and ends with silence."""
    said = TimedText(10, 16, "It was late. Nobody came.", 0, spans_of(
        10.5, 10.7, 10.7, 10.9, 11.0, 11.5, 14.0, 14.6, 14.6, 15.1,
    ))  # fmt: skip
    assert spans(cues_of([said], 1)) == [(10_500, 12_000), (14_000, 15_600)]


def test_without_a_pause_a_cue_stays_until_the_next() -> None:
    said = TimedText(0, 4, "It was late. Nobody came.", 0, spans_of(
        0.0, 0.7, 0.7, 0.9, 1.0, 1.5, 1.8, 2.5, 2.6, 3.1,
    ))  # fmt: skip
    assert spans(cues_of([said], 1)) == [(0, 1_800), (1_800, 3_600)]


@given(said=timed_texts(), times=st.lists(st.floats(-5, 200), max_size=120), matching=st.booleans())
def test_any_times_of_words(said: TimedText, times: list[float], matching: bool) -> None:
    """A model of one's own may have any. They change when a text is shown, and not what is."""
    count = len(one_line(said.text).split(" ")) if matching else len(times) // 2
    times = sorted((times * (2 * count))[: 2 * count]) if times else [0.0] * (2 * count)
    timed = said._replace(channel=0, words=spans_of(*times))
    cues = cues_of([timed], 1)
    assert cues == sorted(cues)
    for cue, following in pairwise(cues):
        assert cue.start_ms < cue.end_ms <= following.start_ms
        assert cue.end_ms - cue.start_ms <= 7_000
    shown = " ".join(texts(cues)).replace(" ", "")
    assert shown == one_line(said.text).replace(" ", "")


def test_words_that_do_not_match_the_text_are_not_used() -> None:
    said = TimedText(3.2, 5.94, SENTENCE, 0, spans_of(4.0, 4.5))
    assert spans(cues_of([said], 1)) == [(3200, 5940)]
