"""When each word of a text begins and ends: as it was measured, or by characters."""

from collections.abc import Sequence
from typing import NamedTuple

from streamer.subtitles.words import Words


class WordSpan(NamedTuple):
    """When a word was said, in seconds."""

    start_s: float
    end_s: float


class PartTimes(NamedTuple):
    """When the words of a `Words` are said, in seconds.

    Attributes:
        begins_s: Of each word, and at last the end of the text.
        ends_s: Of each word.
    """

    begins_s: Sequence[float]
    ends_s: Sequence[float]


def part_times(
    words: Words, start_s: float, end_s: float, spans: Sequence[WordSpan] = ()
) -> PartTimes:
    """The times of the words of a text.

    Args:
        words: Of the text; a word that is longer than a line, or in a script without spaces, is
            several of them.
        start_s: When the text begins, in seconds.
        end_s: When it ends.
        spans: Of what is between spaces, in order. Times before the start or behind the end are
            moved there. If they are not as many as there are, they are not used.
    """
    if not words.text:
        return PartTimes([end_s], [])
    ends = [*words.starts[1:], len(words.text)]
    spaced = words.text.split(" ")
    if len(spans) != len(spaced):

        def by_characters(at: int) -> float:
            return start_s + (end_s - start_s) * at / len(words.text)

        begins_s = [*map(by_characters, words.starts), end_s]
        return PartTimes(begins_s, begins_s[1:])
    begins_s, ends_s = list[float](), list[float]()
    first, number = 0, 0  # of the spaced word that a part is in: its offset, and which one it is
    for at, end in zip(words.starts, ends, strict=True):
        if at > first + len(spaced[number]):
            first += len(spaced[number]) + 1
            number += 1
        span_s = [min(max(time, start_s), end_s) for time in spans[number]]
        for offset, times_s in ((at, begins_s), (end, ends_s)):
            share = min(1.0, (offset - first) / len(spaced[number]))
            times_s.append(span_s[0] + share * (span_s[1] - span_s[0]))
    return PartTimes([*begins_s, end_s], ends_s)
