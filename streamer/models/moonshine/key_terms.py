"""Key terms: phrases that a client expects, and the tokens by which they may go on.

A prefix tree over the text of the phrases. The network may split a word into tokens in more than
one way, most of all a word that was not in its training data, so a place in the tree is a beginning
of a phrase in bytes, and every token is allowed whose bytes go on with a phrase. Only the first
token of a phrase is the one of byte pair encoding: otherwise single letters begin every phrase, and
cost time wherever the network is uncertain.

Pure; what is done with it is in `term_search.py`.
"""

import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streamer.models.moonshine.byte_pair_encoding import BytePairEncoder, spaced

APOSTROPHES = str.maketrans("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "''")
"""The network writes the plain one."""

OPENING, CLOSING = "\"'“‘«‹„([{¡¿", "\"'”’»›)]}.,;:!?…"
"""Marks around a phrase that are none of it. The network writes those behind a word by itself, also
a dot that belongs to it, as in `Inc.`."""

NO_TERMS: frozenset[int] = frozenset()

AFTER_ALL = b"\xff"
"""A byte that is larger than any in UTF-8."""

BYTES_PER_SPELLING, BYTES_PER_PHRASE = 300, 50
"""Bytes of memory that are taken beside the text of each: by Python's objects, measured."""


class NextTokens(NamedTuple):
    """How phrases may go on.

    Attributes:
        tokens: int64 [n], each once, in ascending order.
        beginnings: What is written of a phrase with each of the tokens; in their order.
    """

    tokens: npt.NDArray[np.int64]
    beginnings: Sequence[bytes]


class KeyTerms:
    """The prefix tree of some phrases, in which a beginning of a phrase is a place.

    Only the whole spellings are stored, in order: those that begin alike are neighbours.

    Args:
        phrases: As a client writes them. One in lower case is also expected with capitals, at the
            start of a sentence or as a name; one with capitals is written as it is given.
        byte_pair_encoder: With the network's pieces.

    Attributes:
        byte_pair_encoder: With the network's pieces.
        first: The tokens that begin a phrase.
        bytes: Of memory, at most, with the phrases themselves.
    """

    def __init__(self, phrases: Sequence[str], byte_pair_encoder: BytePairEncoder) -> None:
        self.byte_pair_encoder = byte_pair_encoder
        numbers: dict[bytes, tuple[int, ...]] = {}
        first_words: set[str] = set()
        for number, phrase in enumerate(phrases):
            for written in spellings(phrase):
                text = spaced(written)
                numbers[text] = (*numbers.get(text, ()), number)
                first_words.add(written.partition(" ")[0])
        self._texts = sorted(numbers)
        self._numbers = [numbers[text] for text in self._texts]
        first_tokens = map(byte_pair_encoder.first_token, first_words)
        first = {token: byte_pair_encoder.piece(token) for token in first_tokens}
        self.first = _next_tokens(first)
        self.bytes = sum(map(len, self._texts)) + BYTES_PER_SPELLING * len(self._texts)
        self.bytes += sum(map(sys.getsizeof, phrases)) + BYTES_PER_PHRASE * len(phrases)

    def terms(self, beginning: bytes) -> frozenset[int]:
        """The numbers of the phrases that begin so; there are bytes in `beginning`."""
        return NO_TERMS.union(*self._numbers[self._place(beginning)])

    def completed(self, text: bytes) -> frozenset[int]:
        """The numbers of the phrases that are whole with `text`."""
        at = bisect_left(self._texts, text)
        whole = self._texts[at : at + 1] == [text]
        return frozenset(self._numbers[at]) if whole else NO_TERMS

    def after(self, beginning: bytes) -> NextTokens:
        """The tokens by which the phrases that begin so go on."""
        length = len(beginning)
        longest = self.byte_pair_encoder.longest_piece
        rests = {text[length : length + longest] for text in self._texts[self._place(beginning)]}
        return _next_tokens(
            {
                token: beginning + rest[:more]
                for rest in rests
                for token, more in self.byte_pair_encoder.beginnings(rest)
            }
        )

    def rest(self, beginning: bytes) -> tuple[int, ...]:
        """How the phrase that begins so goes on, if there is only one, as it is mostly spelled.

        None if there are several, or if the beginning was spelled in another way.
        """
        place = self._place(beginning)
        if place.stop - place.start != 1:
            return ()
        tokens = self.byte_pair_encoder.encode_spaced(self._texts[place.start])
        lengths = (len(self.byte_pair_encoder.piece(token)) for token in tokens)
        before = [0, *accumulate(lengths)]
        return tuple(tokens[before.index(len(beginning)) :]) if len(beginning) in before else ()

    def follow(self, open_beginnings: frozenset[bytes], token: int) -> frozenset[bytes]:
        """The beginnings of phrases that are written after one more token, whole ones among them.

        Args:
            open_beginnings: Those that were written before it.
            token: What was written; it may also begin a phrase.
        """
        piece = self.byte_pair_encoder.piece(token)
        written = {beginning + piece for beginning in (*open_beginnings, b"")} - {b""}
        return frozenset(filter(self._begins, written))

    def _begins(self, beginning: bytes) -> bool:
        at = bisect_left(self._texts, beginning)
        return at < len(self._texts) and self._texts[at].startswith(beginning)

    def _place(self, beginning: bytes) -> slice:
        """Where the spellings are that begin so."""
        first = bisect_left(self._texts, beginning)
        return slice(first, bisect_left(self._texts, beginning + AFTER_ALL, first))


def spellings(phrase: str) -> list[str]:
    """How a phrase may be written: as it is, and if it is in lower case, also with capitals."""
    words = " ".join(unicodedata.normalize("NFC", phrase).translate(APOSTROPHES).split())
    written = words.lstrip(OPENING).rstrip(CLOSING) or words
    if written != written.lower():
        return [written]
    names = " ".join(word[:1].upper() + word[1:] for word in written.split(" "))
    return list(dict.fromkeys([written, written[:1].upper() + written[1:], names]))


def _next_tokens(beginnings: dict[int, bytes]) -> NextTokens:
    tokens = sorted(beginnings)
    return NextTokens(np.array(tokens, np.int64), [beginnings[token] for token in tokens])
