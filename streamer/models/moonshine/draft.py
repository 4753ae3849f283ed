"""What a transcript will probably be: that of an earlier result for the same audio.

An interim, or an early final, has most of the words of the next result of its segment. Its tokens
are guessed, and the decoder verifies many of them in one pass. So nothing depends on them but time.
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np

from streamer.models.moonshine.byte_pair_encoding import FIRST_PIECE

FIRST_GUESS, NEXT_GUESS = 16, 4
"""Tokens that are guessed at once: at first, and after a difference until a guess was right. A pass
of 17 tokens takes three times as long as one of a single token."""

BACK, AHEAD = 2, 6
"""Tokens before and behind the expected one, among which the draft is taken up again."""

MAX_LOST = 2
"""Tokens in a row that are not in the draft where they are expected, after which it is not guessed
from, until one is there."""

VOCABULARY = struct.Struct("<I")
"""Before the tokens, a checksum of their vocabulary; the tokens are uint16, little-endian."""

COMPARED_PIECES = 4_096
"""Pieces whose checksum is compared. Tiny and Base differ in one rare piece, and in the markers
behind all pieces; for guesses, this does not matter."""


class Draft:
    """Guesses the next tokens of a search, which reports each token that it has written.

    Args:
        tokens: Of the earlier transcript.
    """

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens = [*tokens]
        self._next = 0
        """The place of the token that is expected."""
        self._size = FIRST_GUESS
        self._agreed = 0
        """Tokens that were as expected, since the last difference."""
        self._lost = 0
        """Tokens in a row that are not in the draft."""

    def guess(self) -> Sequence[int]:
        """The tokens that may follow, most likely in this order."""
        if self._lost > MAX_LOST:
            return []
        return self._tokens[self._next : self._next + self._size]

    def wrote(self, token: int) -> None:
        """Take note of a token, and find where the draft goes on behind it."""
        if self._tokens[self._next : self._next + 1] == [token]:
            self._next += 1
            self._lost = 0
            self._agreed += 1
            if self._agreed >= NEXT_GUESS:
                self._size = FIRST_GUESS
            return
        self._agreed, self._size = 0, NEXT_GUESS
        first = max(0, self._next - BACK)
        near = [
            place
            for place, other in enumerate(self._tokens[first : self._next + AHEAD], first)
            if other == token
        ]
        if near:
            self._next = 1 + min(near, key=lambda place: abs(place - self._next))
            self._lost = 0
        else:  # it stands in the place of the expected one
            self._next += 1
            self._lost += 1

    def replaced(self, tokens: Sequence[int]) -> None:
        """Take note that the search took these tokens back and wrote something else for the first.

        Most of the others will be written again.
        """
        self._tokens = [*tokens, *self._tokens[self._next :]]
        self._next = 0
        self._agreed, self._size, self._lost = 0, NEXT_GUESS, 0

    @property
    def rest(self) -> Sequence[int]:
        """What has not been written yet."""
        return self._tokens[self._next :]


def vocabulary(pieces: Sequence[bytes]) -> int:
    """A checksum by which drafts of another vocabulary are noticed.

    Args:
        pieces: The bytes of each token.
    """
    return zlib.crc32(b"\0".join(pieces[: FIRST_PIECE + COMPARED_PIECES]))


def to_bytes(tokens: Sequence[int], vocabulary: int) -> bytes:
    """Tokens as a draft for `from_bytes`; empty without tokens."""
    packed = np.array(tokens, "<u2").tobytes()
    return VOCABULARY.pack(vocabulary) + packed if packed else b""


def from_bytes(draft: bytes, vocabulary: int, tokens: int) -> list[int]:
    """The tokens of a draft; none if it is not one of this vocabulary.

    Args:
        draft: What `to_bytes` returned, or anything else.
        vocabulary: The checksum of it.
        tokens: How many it has.
    """
    head, packed = draft[: VOCABULARY.size], draft[VOCABULARY.size :]
    if head != VOCABULARY.pack(vocabulary) or len(packed) % 2:
        return []
    found: list[int] = np.frombuffer(packed, "<u2").tolist()
    return found if max(found, default=0) < tokens else []
