"""WAV in all its forms, brought into one that has no lengths to be wrong.

RIFF, RIFX (big-endian), RF64 and BW64 (64 bits, EBU Tech 3306, ITU-R BS.2088) and W64 (Sony's) hold
the same two chunks: the format, and the samples. Programs that write to a pipe do not know the
length, and declare 0, the maximum or something near it; others count wrongly. So the samples are
taken to reach as far as the file does, unless what follows them is really other chunks.
"""

import struct
from typing import BinaryIO, NamedTuple

from streamer.recordings.containers import HEAD_BYTES, Found, following, only_zeros
from streamer.recordings.errors import AudioFileError
from streamer.recordings.view import View, read_at

MAX_FMT_BYTES = 4_096
"""Bytes of a format chunk; the longest known have 50 or so."""

MAX_CHUNKS = 4_096
"""Chunks before the samples."""

UNKNOWN_BYTES = 0x7FFF_0000
"""Bytes. A length from here to the maximum, and 0, says that it was not known: 2**32 - 1, 2**31 - 1
and a little less are in use."""

UNKNOWN_LONG_BYTES = 1 << 62
"""Bytes. The same where lengths have 64 bits: FFmpeg declares 2**63 less the headers."""

_PCM_TAGS = (1, 3, 6, 7)  # integers, floats, A-law, mu-law
_EXTENSIBLE = 0xFFFE
_AU_ENCODINGS = {  # of AU, by the format tag and the bits of WAV; FFmpeg reads no big-endian WAV
    (1, 16): 3, (1, 24): 4, (1, 32): 5, (3, 32): 6, (3, 64): 7,
}  # fmt: skip
_W64_SIZE = 24  # bytes of a W64 chunk's header
_UNKNOWN = 0xFFFF_FFFF


class Wave(NamedTuple):
    """The samples of a WAV file.

    Attributes:
        view: A plain file of unknown length with these samples.
        demuxer: FFmpeg's, for `view`: `wav`, or `au` for samples in big-endian order.
        declared_bytes: Of samples, as the header says; None = it does not.
        found_bytes: Of samples, that are there.
        bytes_per_second: Of samples, if that is exact (PCM); None = it is not.
        end: Byte of the file behind them.
        partial_bytes: At the end, of a frame that is not whole.
        behind: Another recording behind this file; None = there is none.
    """

    view: View
    demuxer: str
    declared_bytes: int | None
    found_bytes: int
    bytes_per_second: int | None
    end: int
    partial_bytes: int
    behind: Found | None


class PlainHeader(NamedTuple):
    """What goes before samples, so that FFmpeg reads them as a plain file.

    Attributes:
        head: The header.
        demuxer: FFmpeg's.
        bytes_per_second: Of samples, if that is exact (PCM); None = it is not.
        frame_bytes: One sample of every channel, if that is exact; 0 = it is not.
    """

    head: bytes
    demuxer: str
    bytes_per_second: int | None
    frame_bytes: int


class _Chunk(NamedTuple):
    name: bytes
    start: int  # of its content
    size: int
    end: int  # of its content and padding


def open_wave(file: BinaryIO, start: int) -> Wave:
    """The samples of the WAV file that begins at a place.

    Raises:
        AudioFileError: It has no format or no samples.
    """
    size = file.seek(0, 2)
    magic = read_at(file, start, 4)
    order = ">" if magic == b"RIFX" else "<"
    wide = magic == b"riff"
    position = start + (40 if wide else 12)
    fmt, data, size64 = b"", None, None
    for _ in range(MAX_CHUNKS):
        chunk = _chunk(file, position, order, wide=wide)
        if chunk is None:
            break
        if chunk.name == b"data":
            data = chunk
            break
        if chunk.name == b"fmt ":
            fmt = read_at(file, chunk.start, min(chunk.size, MAX_FMT_BYTES))
        elif chunk.name == b"ds64":
            size64 = struct.unpack("<Q", read_at(file, chunk.start + 8, 8).ljust(8, b"\0"))[0]
        position = chunk.end
    if data is None:
        what = "the samples" if len(fmt) >= 16 else "the format and the samples"
        raise AudioFileError(f"the WAV file is damaged or not complete: {what} are missing")
    if len(fmt) < 14:
        raise AudioFileError("the WAV file is damaged: the format of its samples is missing")
    declared: int | None = data.size
    if data.size == _UNKNOWN and size64 is not None:
        declared = size64
    unknown_from = UNKNOWN_LONG_BYTES if wide or size64 is not None else UNKNOWN_BYTES
    if declared is not None and not 0 < declared < unknown_from:
        # A file of this length can be real; then what is there agrees.
        declared = declared if declared and data.start + declared <= size else None
    end = _end_of_data(file, data.start, declared, size, order, wide=wide)
    found = end - data.start
    plain = plain_header(fmt, order)
    return Wave(
        View(file, data.start, end, plain.head),
        plain.demuxer,
        declared,
        found,
        plain.bytes_per_second,
        end,
        found % plain.frame_bytes if plain.frame_bytes else 0,
        _behind_chunks(file, end, size, order, wide=wide),
    )


def plain_header(fmt: bytes, order: str) -> PlainHeader:
    """A header for samples of unknown length.

    Args:
        fmt: The content of the chunk that states their format, 14 bytes or more.
        order: `<` or `>`, of it and of the samples.
    """
    tag, channels, rate, _, align = struct.unpack(order + "HHIIH", fmt[:14])
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        (tag,) = struct.unpack(order + "H", fmt[24:26])
    exact = bool(tag in _PCM_TAGS and channels and align and rate)
    demuxer = "wav"
    if order == ">":
        bits = 8 * align // channels if channels else 0
        if (tag, bits) in _AU_ENCODINGS:
            demuxer = "au"
            head = struct.pack(
                ">4sIIIII", b".snd", 24, _UNKNOWN, _AU_ENCODINGS[tag, bits], rate, channels
            )
        fmt = b"".join(fmt[place : place + 2][::-1] for place in range(0, len(fmt), 2))
        fmt = fmt[:4] + fmt[6:8] + fmt[4:6] + fmt[10:12] + fmt[8:10] + fmt[12:]
    if demuxer == "wav":
        head = b"RIFF" + struct.pack("<I", _UNKNOWN) + b"WAVE"
        head += b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"\0" * (len(fmt) % 2)
        head += b"data" + struct.pack("<I", _UNKNOWN)
    return PlainHeader(head, demuxer, align * rate if exact else None, align if exact else 0)


def shortfall(
    declared_bytes: int | None, found_bytes: int, bytes_per_second: int | None
) -> str | None:
    """What is missing of the samples, in one sentence; None = nothing."""
    if declared_bytes is None or declared_bytes <= found_bytes:
        return None
    missing = declared_bytes - found_bytes
    seconds = f" ({seconds_text(missing / bytes_per_second)})" if bytes_per_second else ""
    return (
        f"the WAV file ends early: its header declares {declared_bytes} bytes of samples, "
        f"{found_bytes} are there, {missing} bytes{seconds} are missing"
    )


def seconds_text(seconds: float) -> str:
    """A length for people."""
    return f"{seconds:.3g} s" if seconds < 1 else f"{seconds:.2f} s"


def _chunk(file: BinaryIO, position: int, order: str, *, wide: bool) -> _Chunk | None:
    head = read_at(file, position, _W64_SIZE if wide else 8)
    if wide:
        if len(head) < _W64_SIZE:
            return None
        length = max(struct.unpack("<Q", head[16:24])[0], _W64_SIZE)
        end = position + (length + 7) // 8 * 8
        return _Chunk(head[:4], position + _W64_SIZE, length - _W64_SIZE, end)
    if len(head) < 8:
        return None
    (length,) = struct.unpack(order + "I", head[4:8])
    end = position + 8 + length + length % 2
    if length % 2 and is_name(read_at(file, end - 1, 4)) and not is_name(read_at(file, end, 4)):
        end -= 1  # an odd chunk without the padding that it should have
    return _Chunk(head[:4], position + 8, length, end)


def _end_of_data(
    file: BinaryIO, start: int, declared: int | None, size: int, order: str, *, wide: bool
) -> int:
    """The byte behind the last sample: where other chunks begin, or the end of the file."""
    if declared is None or start + declared >= size:
        return size
    if wide:
        return start + declared
    for end in (start + declared + declared % 2, start + declared):
        if end >= size or _chunks_follow(file, end, size, order):
            return start + declared
    return size


def _chunks_follow(file: BinaryIO, position: int, size: int, order: str) -> bool:
    """Whether what begins here is chunks, or another file, or zeros, and not samples."""
    head = read_at(file, position, HEAD_BYTES)
    if following(file, position) is not None or (
        not head.strip(b"\0") and only_zeros(file, position)
    ):
        return True
    if head[:3] in (b"ID3", b"TAG"):
        return True
    chunk = _chunk(file, position, order, wide=False)
    return chunk is not None and is_name(chunk.name) and chunk.start + chunk.size <= size + 1


def _behind_chunks(
    file: BinaryIO, position: int, size: int, order: str, *, wide: bool
) -> Found | None:
    """The recording behind the chunks that are behind the samples."""
    for _ in range(MAX_CHUNKS):
        if (found := following(file, position)) is not None:
            return found
        chunk = _chunk(file, position, order, wide=wide)
        if chunk is not None and not is_name(chunk.name):
            position += 1  # samples are padded to an even length
            chunk = _chunk(file, position, order, wide=wide)
        if chunk is None or not is_name(chunk.name) or chunk.start + chunk.size > size:
            return None
        position = chunk.end
    return None


def is_name(name: bytes) -> bool:
    """Whether these bytes may be the name of a chunk."""
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)
