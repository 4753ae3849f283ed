"""Moonshine's `tokenizer.bin`: token numbers to text.

The file is a sequence of entries in token order: a length, then that number of bytes. The length
is one byte b0, or two when b0 ≥ 128: then it is b0 - 128 + 128·b1.

A token is a piece of text, a single byte of a character that has no token of its own, or a marker
such as `</s>`. Some pieces are not printable text: the vocabulary comes from web pages,
and holds control characters, invisible marks and U+FFFD.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

SPACE = "\N{LOWER ONE EIGHTH BLOCK}".encode()

MARKER = re.compile(rb"</?s>|<unk>|<<ST_\d+>>")
"""Tokens that are no text: start, end, unknown, and those without a meaning in the text."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Invisible, but part of how words and emoji are written."""


class SpelledWord(NamedTuple):
    """A word of a text, and the tokens that spell it.

    Attributes:
        text: Without spaces.
        tokens: Positions of the tokens with its letters and digits, in order; with any of its
            characters, if it has none.
    """

    text: str
    tokens: Sequence[int]


class Tokenizer:
    """Token numbers to text.

    Args:
        pieces: The bytes of each token; the index is the token's number.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    @classmethod
    def read(cls, path: Path) -> "Tokenizer":
        """Read a `tokenizer.bin`.

        Raises:
            ValueError: The file ends in the middle of an entry.
        """
        return cls(list(_entries(path)))

    @property
    def pieces(self) -> Sequence[bytes]:
        """The bytes of each token."""
        return self._pieces

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of `tokens`, whatever they are: printable characters and single spaces.

        A character that is spelled in bytes is whole or absent; the last one of an interim may not
        be complete yet. Absent are also markers, U+FFFD, control characters and invisible marks;
        line breaks and tabs become spaces.
        """
        pieces = (self._pieces[token] for token in tokens)
        joined = b"".join(b"" if MARKER.fullmatch(piece) else piece for piece in pieces)
        text = joined.replace(SPACE, b" ").decode("utf-8", "ignore")
        return " ".join("".join(map(_shown, text)).split())

    def words(self, tokens: Iterable[int]) -> list[SpelledWord]:
        """The words of the text of `tokens`; joined by spaces, they are `decode(tokens)`."""
        words: list[SpelledWord] = []
        text, letters, others = "", list[int](), list[int]()
        for character, positions in [*self._characters(tokens), (" ", range(0))]:
            if not character.isspace():
                text += character
                (letters if character.isalnum() else others).extend(positions)
            elif text:
                words.append(SpelledWord(text, letters or others))
                text, letters, others = "", [], []
        return words

    def _characters(self, tokens: Iterable[int]) -> Iterator[tuple[str, range]]:
        """Each character of a text, and the positions of the tokens that spell it."""
        decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        begun = 0  # where the bytes that are no character yet begin
        for position, token in enumerate(tokens):
            piece = self._pieces[token]
            if MARKER.fullmatch(piece):
                continue
            if not decoder.getstate()[0]:
                begun = position
            for character in decoder.decode(piece):
                spelled = range(begun, position + 1)
                begun = position
                for shown in " " if character == SPACE.decode() else _shown(character):
                    yield shown, spelled


def _shown(character: str) -> str:
    """What a character of the vocabulary is in a text."""
    if "\x80" <= character <= "\x9f":  # web pages mean Windows-1252: "don\x92t" is "don’t"
        return character.encode("latin-1").decode("cp1252", "ignore")
    if character.isspace() or character in JOINERS:
        return character
    invisible = unicodedata.category(character) in ("Cc", "Cf", "Co")
    return "" if invisible or character == REPLACEMENT else character


def _entries(path: Path) -> Iterable[bytes]:
    data = path.read_bytes()
    position = 0
    while position < len(data):
        length = data[position]
        position += 1
        if length >= 128:
            if position == len(data):
                raise ValueError(f"{path} ends in the middle of an entry")
            length += 128 * data[position] - 128
            position += 1
        if position + length > len(data):
            raise ValueError(f"{path} ends in the middle of an entry")
        yield data[position : position + length]
        position += length
