"""All cuts of a short stream, in ones and twos."""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

VALUES = [0, 1, -1, 255, 256, -256, 32_767, -32_768, 12_345, -12_345]
DATA = struct.pack(f"<{len(VALUES)}h", *VALUES)


class Decoder(Protocol):
    """Decodes signed 16-bit little-endian PCM of one channel."""

    def decode(self, data: bytes) -> list[int]:
        """Take the next bytes, cut anywhere."""


def _play(decoder: Decoder, cuts: list[int]) -> None:
    found: list[int] = []
    for start, end in pairwise([0, *cuts, len(DATA)]):
        found += decoder.decode(DATA[start:end])
        assert len(found) == end // 2, "each sample comes with its last byte"
    assert found == VALUES


def examine(new_decoder: Callable[[], Decoder]) -> None:
    """Try every pair of cuts, byte by byte, empty pieces, and two decoders in turn."""
    for first in range(len(DATA) + 1):
        for second in range(first, len(DATA) + 1):
            _play(new_decoder(), [first, second])
    _play(new_decoder(), list(range(len(DATA))))
    one, other = new_decoder(), new_decoder()
    assert one.decode(b"\x01") == []
    assert other.decode(b"\x02\x00") == [2]
    assert one.decode(b"\x00") == [1]
