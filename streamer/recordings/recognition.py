"""What bytes that are still arriving are: a recording in a container, or samples without one.

Raw samples may be live, and must not wait for more bytes than it takes to exclude a container: most
often that is the first one.
"""

from io import BytesIO
from typing import NamedTuple

from streamer.audio.containers import ASF, EBML, RIFF_NAMES, W64
from streamer.audio.frames import (
    CHAIN,
    Parse,
    ac3_frame,
    adts_frame,
    find_stream,
    is_stream,
    loas_frame,
    mpeg_frame,
)
from streamer.recordings.containers import HEAD_BYTES, container_inside, kind_of, skip_tags

STREAMED = frozenset(("AAC", "AC-3", "AMR", "E-AC-3", "FLAC", "LATM", "MP3", "MP4", "OGG", "WebM"))
"""Containers that can be decoded while they arrive; an MP4 file only if its index comes first."""

INSIDE_BYTES = 1 << 14
"""Bytes in which a stream is looked for that begins within a frame. Frames have 1441 bytes at most,
those of AAC less than that at usual bit rates."""

_HEADER_BYTES = 8
"""Bytes that are enough to recognise the header of a frame."""

_BEGINNINGS = (
    *(*RIFF_NAMES, W64[:8], b"FORM", b"fLaC", b"OggS", b".snd", b"caff", b"#!AMR", ASF[:8], EBML),
    *(b"ID3", b"APETAGEX", b"\0\0", b"\xef\xbb\xbf", b"\r\n"),
)
"""What `kind_of` and `skip_tags` look for; an MP4 file begins with the size of its first box. A
mark of UTF-8 and a line end are no part of a recording, but may be before it."""

_SYNC: tuple[tuple[str, Parse, int, int], ...] = (
    ("MP3", mpeg_frame, 0xFFE0, 0xFFE0),
    ("AAC", adts_frame, 0xFFF6, 0xFFF0),
    ("LATM", loas_frame, 0xFFE0, 0x56E0),
    ("AC-3", ac3_frame, 0xFFFF, 0x0B77),
)
"""Of streams without a container: the kind, its parser, and which first bits are set how."""


class Recognised(NamedTuple):
    """What the bytes are.

    Attributes:
        kind: As in `containers.DEMUXERS`; None = none of them.
        start: Its first byte, behind tags.
    """

    kind: str | None
    start: int = 0


def recognise(head: bytes, *, ended: bool) -> Recognised | None:
    """Recognise a recording by its first bytes.

    Args:
        head: What has arrived.
        ended: Nothing else will arrive.

    Returns:
        None if more bytes are needed.
    """
    start = skip_tags(BytesIO(head), 0)
    data = head[start:]
    if len(data) < HEAD_BYTES and not ended and (start or _may_begin(data)):
        return None
    if (kind := kind_of(data)) is not None:
        return Recognised(kind, start)
    for kind, parse, mask, sync in _SYNC:
        if len(data) < 2:
            if data and not ended and data[0] == sync >> 8:
                return None
        elif int.from_bytes(data[:2], "big") & mask == sync:
            found = _is_stream(data, parse, ended=ended)
            if found is None:
                return None
            if found:
                is_later = kind == "AC-3" and data[5] >> 3 > 10
                return Recognised("E-AC-3" if is_later else kind, start)
    return Recognised(None, start)


def recognise_inside(head: bytes) -> Recognised:
    """Recognise a recording behind a few other bytes, or a stream that begins within a frame.

    The latter is so when recording began in the middle. Four headers where each one says that the
    next is are not found in samples by chance.
    """
    if (found := container_inside(head)) is not None:
        return Recognised(found.kind, found.start)
    places = [
        (place, kind)
        for kind, parse, _, _ in _SYNC
        if (place := find_stream(head[:INSIDE_BYTES], parse, whole=False)) is not None
    ]
    place, kind = min(places, default=(0, None))
    return Recognised(kind, place)


def _may_begin(data: bytes) -> bool:
    """Whether a container may begin so."""
    return any(
        beginning.startswith(data[: len(beginning)]) for beginning in _BEGINNINGS
    ) and not _is_silence(data)


def _is_silence(data: bytes) -> bool:
    """Whether these are zeros, and too many to be the size of a box."""
    return len(data) >= 4 and not data[:4].strip(b"\0")


def _is_stream(data: bytes, parse: Parse, *, ended: bool) -> bool | None:
    """Whether `CHAIN` frames follow each other; None = more bytes are needed."""
    position, same = 0, None
    for number in range(CHAIN):
        if len(data) < position + _HEADER_BYTES:
            return is_stream(data, 0, parse, whole=True) if ended else None
        header = parse(data[position : position + _HEADER_BYTES])
        if header is None or (number and header.same != same):
            return False
        same = header.same
        position += header.size
    return True
