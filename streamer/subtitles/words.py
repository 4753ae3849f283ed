"""Text in words, with the strength of every place where it may be broken."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from math import ceil
from typing import NamedTuple
from unicodedata import category

LINE_CHARACTERS = 42
"""Characters of a line at most: Netflix, English Timed Text Style Guide, "Character Limitation"."""

_CLOSERS = "\"'”’»)\\]}」』）】》"
_WIDE_STOPS, _WIDE_COMMAS = "。！？｡", "、，；："
_ENDS_SENTENCE = re.compile(rf"[.!?…{_WIDE_STOPS}][{_CLOSERS}]*$")
_ENDS_CLAUSE = re.compile(rf"[,;:–—{_WIDE_COMMAS}][{_CLOSERS}]*$")
_UNSPACED = re.compile(rf".+?(?:[{_WIDE_STOPS}{_WIDE_COMMAS}]+[{_CLOSERS}]*|$)")
"""A part of a text without spaces: up to punctuation that no space follows in its script."""

_ABBREVIATIONS = frozenset(
    ("mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "mt.", "vs.", "e.g.", "i.e.", "cf.", "no.")
)
_INITIAL = re.compile(r"^\W*[^\W\d_]\.$")
_ZERO_WIDTH_JOINER = "\u200d"


class Break(IntEnum):
    """What ends where a text may be broken; a higher one is the better place."""

    NOTHING = 0
    WORD = 1
    CLAUSE = 2
    SENTENCE = 3


class _Part(NamedTuple):
    """A piece of the text that is never broken, and where it begins in the text."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A text in one line, as words that each fit on a line.

    Attributes:
        text: Without control characters; one space where there was any white space.
        starts: Offset of the first character of each word.
        ends: Offset behind the last character of each word.
        breaks: What ends before each word.
        first_line: Characters of the first line of a cue at most.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    breaks: tuple[Break, ...]
    first_line: int

    def lines(self, first: int, last: int) -> tuple[str, ...] | None:
        """The words from `first` to before `last` on one or two lines. None = they do not fit."""
        if self._length(first, last) <= self.first_line:
            return (self.text[self.starts[first] : self.ends[last - 1]],)
        # The most words that fit on the first line, and the fewest that leave the second one short.
        most = bisect_right(self.ends, self.starts[first] + self.first_line, first, last)
        places = [k for k in range(most, first, -1) if self._length(k, last) <= LINE_CHARACTERS]
        if not places:
            return None
        second = min(places, key=lambda place: self._unevenness(first, place, last))
        return (
            self.text[self.starts[first] : self.ends[second - 1]],
            self.text[self.starts[second] : self.ends[last - 1]],
        )

    def _length(self, first: int, last: int) -> int:
        return self.ends[last - 1] - self.starts[first]

    def _unevenness(self, first: int, second: int, last: int) -> int:
        """How much the lines differ; punctuation at the end of the first outweighs some of it."""
        difference = self._length(first, second) - self._length(second, last)
        return abs(difference) - 10 * self.breaks[second]


def words_of(text: str, label_characters: int = 0) -> Words:
    """Find the words of a text.

    Args:
        text: Any.
        label_characters: What goes before the first line of each cue.

    Returns:
        None at all if there is nothing to read. A word that is longer than a line, such as a
        sentence in a script without spaces, is cut into several.
    """
    text = one_line(text)
    first_line = max(LINE_CHARACTERS - label_characters, LINE_CHARACTERS // 3)
    parts = [part for word in re.finditer(r"\S+", text) for part in _parts(word, first_line)]
    breaks = [Break.SENTENCE][: len(parts)]
    breaks += [_break_between(before, after) for before, after in pairwise(parts)]
    return Words(
        text,
        tuple(part.start for part in parts),
        tuple(part.start + len(part.text) for part in parts),
        tuple(breaks),
        first_line,
    )


def one_line(text: str) -> str:
    """The text without line breaks and control characters, which could drive a terminal."""
    if not text.isprintable():
        text = "".join(" " if category(c) == "Cc" else c for c in text)
    return " ".join(text.split())


def _parts(word: re.Match[str], most: int) -> list[_Part]:
    """The parts of a word, each of at most `most` characters."""
    start = word.start()
    if len(word[0]) <= most and word[0].isascii():
        return [_Part(start, word[0])]
    return [
        _Part(start + part.start() + offset, piece)
        for part in _UNSPACED.finditer(word[0])
        if part[0]
        for offset, piece in _pieces(part[0], most)
    ]


def _pieces(text: str, most: int) -> list[tuple[int, str]]:
    """Cut text of one word into pieces of about the same length, with their offsets."""
    pieces, begin = [], 0
    while (left := len(text) - begin) > most:
        cut = end = begin + ceil(left / ceil(left / most))
        while cut > begin and _continues(text, cut):
            cut -= 1
        end = cut if cut > begin else end
        pieces.append((begin, text[begin:end]))
        begin = end
    return [*pieces, (begin, text[begin:])]


def _continues(text: str, place: int) -> bool:
    """Whether the character at a place is drawn together with the one before it."""
    return category(text[place])[0] == "M" or _ZERO_WIDTH_JOINER in text[place - 1 : place + 1]


def _break_between(before: _Part, after: _Part) -> Break:
    if _ENDS_SENTENCE.search(before.text) and not _abbreviates(before.text, after.text):
        return Break.SENTENCE
    if _ENDS_CLAUSE.search(before.text) or after.text[0] in "–—":
        return Break.CLAUSE
    apart = before.start + len(before.text) < after.start
    return Break.WORD if apart else Break.NOTHING


def _abbreviates(word: str, following: str) -> bool:
    """Whether the stop at the end of a word is part of it, as far as can be told."""
    if following[0].islower():
        return True
    return word.lower() in _ABBREVIATIONS or _INITIAL.match(word) is not None
