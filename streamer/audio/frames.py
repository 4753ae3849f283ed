"""Frame headers of codecs that need no container: MPEG audio, AAC (ADTS, LATM) and AC-3.

Such a stream may begin anywhere, also within a frame. Two bytes are too little to tell a frame from
noise, so a stream is recognised by several headers in a row, each where the one before says.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

CHAIN = 4
"""Headers in a row that make a stream. A random byte pair passes for a header once in a few
thousand; four at the right places, one in more than 10**12."""

_MPEG_RATES = (44_100, 48_000, 32_000)
_MPEG1_KBPS = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_MPEG2_KBPS = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_RATES = (48_000, 44_100, 32_000)


FLAC_HEADER_BYTES = 16
"""The longest header of a FLAC frame: 4, 7 of its number, 2 and 2, and a check sum of 1."""


class FrameHeader(NamedTuple):
    """What the header of one frame says.

    Attributes:
        size: Bytes from this header to the next.
        samples: For each channel; 0 where it does not matter.
        sample_rate: Hz.
        side_bytes: Bytes between the header and an MPEG layer III frame's first free byte, where
            encoders put the length of the recording.
        same: What all frames of a stream have in common.
    """

    size: int
    samples: int
    sample_rate: int
    side_bytes: int
    same: object


def mpeg_frame(head: bytes) -> FrameHeader | None:
    """An MPEG-1, 2 or 2.5 frame of layer I, II or III (ISO 11172-3, 2.4.1.3; ISO 13818-3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    sample_rate = _MPEG_RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    kbps = (_MPEG1_KBPS if version == 3 else _MPEG2_KBPS)[layer][bitrate]
    if layer == 1:
        size, samples = (12_000 * kbps // sample_rate + padding) * 4, 384
    else:
        samples = 576 if layer == 3 and version != 3 else 1_152
        size = samples * 125 * kbps // sample_rate + padding
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    return FrameHeader(size, samples, sample_rate, side, (version, layer, rate))


def adts_frame(head: bytes) -> FrameHeader | None:
    """An AAC frame with an ADTS header (ISO 13818-7, 6.2)."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    rate = head[2] >> 2 & 15
    if size < 8 or rate > 12:
        return None
    return FrameHeader(size, 0, 0, 0, (head[1], head[2]))


def loas_frame(head: bytes) -> FrameHeader | None:
    """An AAC frame in LATM with a LOAS header (ISO 14496-3, 1.7.2)."""
    if len(head) < 4 or head[0] != 0x56 or head[1] & 0xE0 != 0xE0:
        return None
    size = 3 + ((head[1] & 0x1F) << 8 | head[2])
    return FrameHeader(size, 0, 0, 0, None) if size > 5 else None


def ac3_frame(head: bytes) -> FrameHeader | None:
    """An AC-3 (ETSI TS 102 366, 4.3) or E-AC-3 frame (annex E)."""
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return None
    kind = head[5] >> 3
    if kind > 10:
        return FrameHeader(2 * (((head[2] & 7) << 8 | head[3]) + 1), 0, 0, 0, "eac3")
    rate, code = head[4] >> 6, head[4] & 63
    if rate == 3 or code >= 2 * len(_AC3_KBPS):
        return None
    kbps = _AC3_KBPS[code >> 1]
    words = kbps * 96_000 // _AC3_RATES[rate] + (code & 1 if rate == 1 else 0)
    return FrameHeader(2 * words, 0, 0, 0, ("ac3", rate))


Parse = Callable[[bytes], FrameHeader | None]

_FIRST_BYTES: Mapping[Parse, int] = {
    mpeg_frame: 0xFF,
    adts_frame: 0xFF,
    loas_frame: 0x56,
    ac3_frame: 0x0B,
}


def is_stream(data: bytes, start: int, parse: Parse, *, whole: bool) -> bool:
    """Whether frames begin at `start`: `CHAIN` of them, or all that `data` has room for.

    Args:
        data: A part of a file.
        start: Where.
        parse: Of the codec.
        whole: `data` ends where the file does; so it may have fewer frames.
    """
    position, found, same = start, 0, None
    while found < CHAIN and position < len(data):
        header = parse(data[position : position + 8])
        if header is None or (found and header.same != same):
            return False
        same = header.same
        found += 1
        position += header.size
    return found == CHAIN or (whole and found > 1)


def find_stream(data: bytes, parse: Parse, *, whole: bool) -> int | None:
    """Where the first frames begin in `data`; None = nowhere."""
    sync = _FIRST_BYTES[parse]
    place = data.find(sync)
    while place >= 0:
        if is_stream(data, place, parse, whole=whole):
            return place
        place = data.find(sync, place + 1)
    return None


def is_flac_frame(head: bytes) -> bool:
    """Whether a FLAC frame's header is here, with a check sum that fits (RFC 9639, 9.1).

    The same bytes may be headers of ADTS: in digital silence, frames of FLAC have equal lengths, so
    that several of these follow one another, too.
    """
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8:
        return False
    block_size, rate = head[2] >> 4, head[2] & 0xF
    number_bytes = max(1, 8 - (head[4] ^ 0xFF).bit_length())
    length = 4 + number_bytes + {6: 1, 7: 2}.get(block_size, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    return length < len(head) and _crc8(head[:length]) == head[length]


def _crc8(data: bytes) -> int:
    """The check sum of a FLAC frame's header: polynomial x^8 + x^2 + x + 1, begun with 0."""
    remainder = 0
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder << 1 & 0xFF ^ (0x07 if remainder & 0x80 else 0)
    return remainder
