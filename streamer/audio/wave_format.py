"""The format chunk of a WAV file: what its samples are. Pure.

https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
"""

import struct
from collections.abc import Mapping
from typing import Literal

from streamer.audio.format import AudioFormat

FMT_BYTES = 16
"""Bytes of the shortest format chunk."""

_TAGS: Mapping[int, tuple[Literal["pcm", "mulaw", "alaw"], bool]] = {
    1: ("pcm", False),
    3: ("pcm", True),
    6: ("alaw", False),
    7: ("mulaw", False),
}
_EXTENSIBLE = 0xFFFE
_EXTENSIBLE_BYTES = 26  # up to the tag, which begins the GUID


def wave_format(chunk: bytes) -> AudioFormat | None:
    """The format that a format chunk states.

    Args:
        chunk: Its content, without its name and size.

    Returns:
        None = it is too short, or states no format that a stream can take. The values are not
        checked: see `AudioFormat.problem`.
    """
    if len(chunk) < FMT_BYTES:
        return None
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= _EXTENSIBLE_BYTES:
        tag = int.from_bytes(chunk[24:26], "little")
    if tag not in _TAGS:
        return None
    encoding, is_float = _TAGS[tag]
    return AudioFormat(rate, channels, bits, is_float, encoding)
