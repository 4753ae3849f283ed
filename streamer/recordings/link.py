"""What a decoder process writes, and its framing.

A message is its kind (1 byte), the length of its body (4 bytes, little-endian) and the body:
samples as they lie in memory, everything else as JSON. The server believes nothing of it.

Of a live stream, the decoder reads the bytes from a socket. It writes `NEEDED` before it waits for
more: the samples of all bytes so far are written, as far as they can be decoded.
"""

import os
import stat
import struct
from typing import Literal

import msgspec

PREFIX = struct.Struct("<cI")

HEADER, BLOCK, REPORT, REFUSAL = b"h", b"b", b"e", b"r"
"""Kinds of messages: one header, then blocks, then one report; a refusal at any place ends it."""

NEEDED, DAMAGED = b"n", b"d"
"""Of a live stream: `NEEDED` may come anywhere before the report; `DAMAGED` once, without a body,
behind the audio during which damage was found first."""

TAKEN = struct.Struct("<Q")
"""The body of `NEEDED`: bytes that the decoder has taken from the socket since the beginning."""

MAX_TEXT_BYTES = 1 << 16
"""Bytes of a body that is JSON."""

BLOCK_S = 1.0
"""Seconds of audio in a block; the last may have less."""


class Refusal(msgspec.Struct, frozen=True):
    """There is nothing to decode, or it cannot go on.

    Attributes:
        message: A sentence for people.
        code: As in `AudioFileError`.
    """

    message: str
    code: Literal["unsupported_media_type", "bad_audio"] = "bad_audio"


def is_live(body: int) -> bool:
    """Whether a descriptor of audio is that of a live stream, and none of a file."""
    return stat.S_ISSOCK(os.fstat(body).st_mode)
