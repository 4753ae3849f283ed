"""Key terms: phrases that a client expects, and the tokens by which they may go on.

A prefix tree over the text of the phrases. The network may split a word into tokens in more than
one way, most of all a word that it has never read, so a place in the tree is a beginning of a
phrase in bytes, and every token is allowed whose bytes go on with a phrase. Only the first token of
a phrase is the one of byte pair encoding: otherwise single letters begin every phrase, and cost
time wherever the network is uncertain.

Pure; what is done with it is in `term_search.py`.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streamer.models.moonshine.encoding import Encoder, spaced

APOSTROPHES = str.maketrans("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "''")
"""The network writes the plain one."""

NO_TERMS: frozenset[int] = frozenset()


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

    Args:
        phrases: As a client writes them. One in lower case is also expected with capitals, at the
            start of a sentence or as a name; one with capitals is written as it is given.
        encoder: Of the network.

    Attributes:
        encoder: Of the network.
        first: The tokens that begin a phrase.
    """

    def __init__(self, phrases: Sequence[str], encoder: Encoder) -> None:
        self.encoder = encoder
        self._whole: dict[bytes, frozenset[int]] = {}
        self._terms: dict[bytes, frozenset[int]] = {}
        self._after: dict[bytes, NextTokens] = {}
        first: dict[int, bytes] = {}
        for number, phrase in enumerate(phrases):
            for written in spellings(phrase):
                text = spaced(written)
                self._whole[text] = self.completed(text) | {number}
                for end in range(1, len(text) + 1):
                    self._terms[text[:end]] = self.terms(text[:end]) | {number}
                token, *_ = encoder.encode(written.partition(" ")[0])
                first[token] = encoder.piece(token)
        self.first = _next_tokens(first)

    def terms(self, beginning: bytes) -> frozenset[int]:
        """The numbers of the phrases that begin so."""
        return self._terms.get(beginning, NO_TERMS)

    def completed(self, text: bytes) -> frozenset[int]:
        """The numbers of the phrases that are whole with `text`."""
        return self._whole.get(text, NO_TERMS)

    def after(self, beginning: bytes) -> NextTokens:
        """The tokens by which the phrases that begin so go on."""
        if beginning not in self._after:
            self._after[beginning] = _next_tokens(
                {
                    token: text[: len(beginning) + length]
                    for text in self._whole
                    if text.startswith(beginning)
                    for token, length in self.encoder.beginnings(text[len(beginning) :])
                }
            )
        return self._after[beginning]

    def follow(self, open_beginnings: frozenset[bytes], token: int) -> frozenset[bytes]:
        """The beginnings of phrases that are written after one more token, whole ones among them.

        Args:
            open_beginnings: Those that were written before it.
            token: What was written; it may also begin a phrase.
        """
        piece = self.encoder.piece(token)
        return frozenset(
            beginning + piece
            for beginning in (*open_beginnings, b"")
            if beginning + piece in self._terms
        )


def spellings(phrase: str) -> list[str]:
    """How a phrase may be written: as it is, and if it is in lower case, also with capitals."""
    written = " ".join(unicodedata.normalize("NFC", phrase).translate(APOSTROPHES).split())
    if written != written.lower():
        return [written]
    names = " ".join(word[:1].upper() + word[1:] for word in written.split(" "))
    return list(dict.fromkeys([written, written[:1].upper() + written[1:], names]))


def _next_tokens(beginnings: dict[int, bytes]) -> NextTokens:
    tokens = sorted(beginnings)
    return NextTokens(np.array(tokens, np.int64), [beginnings[token] for token in tokens])
