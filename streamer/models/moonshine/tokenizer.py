"""Moonshine's `tokenizer.bin`: token numbers to text.

The file is a sequence of entries in token order: a length, then that number of bytes. The length
is one byte b0, or two when b0 ≥ 128: then it is b0 - 128 + 128·b1.
"""

from collections.abc import Iterable
from pathlib import Path

SPACE = "\N{LOWER ONE EIGHTH BLOCK}".encode()


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

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of `tokens`; a sequence that is not UTF-8 becomes U+FFFD."""
        joined = b"".join(self._pieces[token] for token in tokens)
        return joined.replace(SPACE, b" ").decode("utf-8", "replace").strip()


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
