"""Where a file ends that has another file behind it.

Programs and people join recordings by writing one behind the other. FFmpeg reads some of these
containers to their declared end only, and says nothing of the rest; others it takes for damage.
"""

from collections.abc import Iterator
from typing import BinaryIO, Literal

from streamer.audio.containers import container_of
from streamer.recordings.containers import DEMUXERS, Found, following
from streamer.recordings.view import read_at

MAX_ELEMENTS = 4_096
"""Chunks or objects of a file that are looked at."""

BLOCK_BYTES = 1 << 20
"""Bytes that are searched at a time."""

_ENDLESS = frozenset(("FLAC", "AMR", "MP3", "AAC", "LATM", "AC-3", "E-AC-3"))
"""Containers whose own length cannot be read."""

MARKS = (
    *((b"fLaC\0\0\0\x22", 0), (b"RIFF", 0), (b"OggS\0\2", 0), (b"ftyp", 4)),
    *((b"\x1a\x45\xdf\xa3", 0), (b"#!AMR", 0), (b"FORM", 0)),
)
"""Of containers that may begin behind those, and bytes that a container has before its mark. What
is behind a mark has to fit, too, so none is found in audio by chance."""

_OVERLAP_BYTES = 16

MARK_BYTES = 96
"""Bytes in which it has to fit."""

_UNKNOWN = 0xFFFF_FFFF

SEGMENT = b"\x18\x53\x80\x67"
"""The ID of the element that holds all of a Matroska file but its header (RFC 9559, 5.1)."""


def file_behind(file: BinaryIO, found: Found) -> Found | None:
    """The file that begins where another one ends; None = there is none, or no end is declared."""
    start = found.start
    match found.kind:
        case "AIFF":
            size = int.from_bytes(read_at(file, start + 4, 4), "big")
            return following(file, start + 8 + size) if size else None
        case "AU":
            head = read_at(file, start, 12)
            offset, size = (int.from_bytes(head[at : at + 4], "big") for at in (4, 8))
            return following(file, start + offset + size) if 0 < size < _UNKNOWN else None
        case "CAF":
            return _behind_elements(file, start + 8, header=12, size_at=4, order="big")
        case "WMA":
            return _behind_elements(file, start, header=0, size_at=16, order="little")
        case "WebM":
            return _behind_segment(file, start)
        case "FLAC":
            return _at_mark(file, _behind_metadata(file, start))
        case kind if kind in _ENDLESS:
            return _at_mark(file, start + 1)
    return None


def _behind_elements(
    file: BinaryIO, position: int, *, header: int, size_at: int, order: Literal["big", "little"]
) -> Found | None:
    """Follow elements to what is none of them.

    Args:
        file: Open for reading.
        position: Of the first one.
        header: Bytes of each that its size does not count.
        size_at: Where its size stands, 8 bytes.
        order: Of these bytes.
    """
    for number in range(MAX_ELEMENTS):
        if number and (found := following(file, position)) is not None:
            return found
        size = int.from_bytes(read_at(file, position + size_at, 8), order, signed=True)
        if size <= 0:
            return None
        position += header + size
    return None


def _behind_segment(file: BinaryIO, start: int) -> Found | None:
    """What is behind a Matroska file, unless it is another one: FFmpeg goes on with that."""
    end = _end_of_element(file, start)
    if end is None or read_at(file, end, 4) != SEGMENT:
        return None
    segment, end = end, _end_of_element(file, end)
    if end is None:
        return _at_mark(file, segment + 4, but="WebM")
    found = following(file, end)
    return None if found is None or found.kind == "WebM" else found


def _end_of_element(file: BinaryIO, start: int) -> int | None:
    """Where an element ends in a file; None = unknown."""
    end = element_end(read_at(file, start, 12))
    return None if end is None else start + end


def element_end(head: bytes) -> int | None:
    """Where an element ends that has an ID of 4 bytes (RFC 8794, 6); None = unknown.

    Args:
        head: Its first 12 bytes.
    """
    size = head[4:]
    length = 9 - size[0].bit_length() if size else 9
    if length > len(size):
        return None
    bits = 7 * length
    value = int.from_bytes(size[:length], "big") & (1 << bits) - 1
    return None if value == (1 << bits) - 1 else 4 + length + value


def _behind_metadata(file: BinaryIO, start: int) -> int:
    """The first frame of a FLAC file (RFC 9639, 8.1): its metadata may hold a WAV file's header."""
    position = start + 4
    for _ in range(MAX_ELEMENTS):
        head = read_at(file, position, 4)
        if len(head) < 4:
            break
        position += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            return position
    return start + 4


def _at_mark(file: BinaryIO, start: int, but: str = "") -> Found | None:
    """The first container that begins at `start` or behind it, of another kind than `but`."""
    position = start
    while len(block := read_at(file, position, BLOCK_BYTES)) > _OVERLAP_BYTES:
        for place in sorted(_places(block)):
            kind = container_of(read_at(file, position + place, MARK_BYTES))
            if (
                kind != but
                and kind in DEMUXERS
                and (found := following(file, position + place)) is not None
            ):
                return found
        position += len(block) - _OVERLAP_BYTES
    return None


def _places(block: bytes) -> Iterator[int]:
    """Where a container may begin."""
    for mark, before in MARKS:
        place = block.find(mark, before)
        while place >= 0:
            yield place - before
            place = block.find(mark, place + 1)
