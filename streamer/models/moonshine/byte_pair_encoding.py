"""Text to Moonshine's tokens: byte pair encoding without a list of merges.

The pieces of a `tokenizer.bin` that are longer than a character are in the order in which byte pair
encoding joins them, as in every vocabulary of SentencePiece's BPE (Kudo and Richardson, 2018,
https://arxiv.org/abs/1808.06226): so a piece's number is the rank of its merge. Of 489 tokens of
transcripts the network wrote all but three in this way; those three spelled a word that was not
in its training data.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from streamer.models.moonshine.tokenizer import MARKER, SPACE
from streamer.onnx.graph import Floats

FIRST_BYTE, FIRST_PIECE = 3, 259
"""Tokens: those from the first to below the second are single bytes."""


class BytePairEncoder:
    """Splits text into tokens.

    Args:
        pieces: The bytes of each token; the index is the token's number.

    Attributes:
        ends_word: Float32 [tokens]: 1 for the tokens that do not go on with the word before them,
            because they begin a word, are punctuation or end the text; 0 for the others.
        longest_piece: Bytes.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        whole = enumerate(pieces[FIRST_PIECE:], FIRST_PIECE)
        self._tokens = {piece: token for token, piece in whole if not MARKER.fullmatch(piece)}
        self._pieces = pieces
        self.longest_piece = max(map(len, pieces))
        self.ends_word: Floats = np.array([not _continues_word(p) for p in pieces], np.float32)

    def encode(self, text: str) -> list[int]:
        """The tokens of `text` after a space or at the start.

        Of all neighbours that are a piece together, the pair with the lowest number is joined,
        until there is none. What has no token then is spelled in bytes.
        """
        return [token for part in self._joined(text) for token in self._spelled(part)]

    def encode_spaced(self, text: bytes) -> list[int]:
        """As `encode`, of a text as `spaced` returns it."""
        return self.encode(text.decode().removeprefix(SPACE.decode()).replace(SPACE.decode(), " "))

    def first_token(self, text: str) -> int:
        """The first one of `encode`."""
        return self._spelled(self._joined(text)[0])[0]

    def piece(self, token: int) -> bytes:
        """The bytes of a token."""
        return self._pieces[token]

    def beginnings(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Each token with which `text`, as `spaced` returns it, may begin, and its bytes' number.

        A single byte is among them if it is a part of a character.
        """
        for length in range(1, len(text) + 1):
            token = self._tokens.get(text[:length])
            if token is not None:
                yield token, length
        if text[:1] >= b"\x80":
            yield FIRST_BYTE + text[0], 1

    def _joined(self, text: str) -> list[bytes]:
        parts = [character.encode() for character in spaced(text).decode()]
        ranks = [self._rank(*pair) for pair in pairwise(parts)]
        while ranks and (lowest := min(ranks)) < len(self._pieces):
            at = ranks.index(lowest)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            # Only the ranks of the new part and its neighbours change.
            around = parts[max(0, at - 1) : at + 2]
            ranks[max(0, at - 1) : at + 2] = [self._rank(*pair) for pair in pairwise(around)]
        return parts

    def _rank(self, first: bytes, second: bytes) -> int:
        return self._tokens.get(first + second, len(self._pieces))

    def _spelled(self, part: bytes) -> list[int]:
        token = self._tokens.get(part)
        return [FIRST_BYTE + byte for byte in part] if token is None else [token]


def spaced(text: str) -> bytes:
    """The bytes of `text` after a space, with `SPACE` for spaces."""
    return (" " + text).encode().replace(b" ", SPACE)


def _continues_word(piece: bytes) -> bool:
    if MARKER.fullmatch(piece):
        return False
    text = piece.replace(SPACE, b" ").decode("utf-8", "ignore")
    return text[0].isalnum() if text else piece[:1] >= b"\x80"  # a byte of a character
