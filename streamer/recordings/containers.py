"""Which container a file is, by its first bytes alone: never by a name or a Content-Type."""

from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

from streamer.audio.containers import AMR_NAMES, ASF, EBML, RIFF_NAMES, W64, container_of
from streamer.audio.frames import (
    ac3_frame,
    adts_frame,
    find_stream,
    is_stream,
    loas_frame,
    mpeg_frame,
)
from streamer.recordings.errors import AudioFileError
from streamer.recordings.foreign import describe
from streamer.recordings.view import read_at

DEMUXERS: Mapping[str, str] = {
    "WAV": "wav",
    "FLAC": "flac",
    "OGG": "ogg",
    "MP3": "mp3",
    "AIFF": "aiff",
    "MP4": "mov",
    "WebM": "matroska",
    "AAC": "aac",
    "LATM": "loas",
    "AMR": "amr",
    "CAF": "caf",
    "AU": "au",
    "WMA": "asf",
    "AC-3": "ac3",
    "E-AC-3": "eac3",
}
"""The containers that are accepted, and FFmpeg's demuxer for each."""

HEAD_BYTES = 64
"""Bytes that are enough to recognise any of them that has a header of its own."""

SCAN_BYTES = 1 << 18
"""Bytes at the beginning in which the first frame of a stream without a container is looked for."""

FOLLOWING_BYTES = 1 << 14
"""Bytes in which a stream of frames has to show itself that follows another recording."""

MAX_BEFORE = 64
"""Bytes before a container that are no part of it, at most: a mark of UTF-8, line ends, the size of
an HTTP chunk, and what else programs put before a file by mistake."""

MAX_ZEROS = 1 << 24
"""Bytes of zeros at the beginning that are skipped at most."""

ID3_HEADER = 10
"""Bytes of an ID3v2 tag's header, and of its footer."""

APE_HEADER = 32
"""Bytes of an APEv2 tag's header, and of its footer."""

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"moof", b"styp")


class Found(NamedTuple):
    """A container in a file.

    Attributes:
        kind: One of `DEMUXERS`.
        start: Its first byte; tags and other bytes before it are no part of it.
        skipped: Bytes before it that are neither tags nor zeros.
    """

    kind: str
    start: int
    skipped: int = 0


def find_container(file: BinaryIO, called: str) -> Found:
    """The container that a file holds.

    Args:
        file: Open for reading.
        called: What a message says of it.

    Raises:
        AudioFileError: It holds none that is accepted; the message says what it is.
    """
    start = skip_tags(file, 0)
    if (found := container_at(file, start)) is not None:
        return found
    behind_tags, start = start, skip_tags(file, _skip_zeros(file, start))
    if (found := container_at(file, start)) is not None:
        return found
    # An MP4 file begins with up to three zeros of its own.
    begin = max(behind_tags, start - 3)
    if (found := container_at(file, begin)) is not None:
        return found
    if (inside := container_inside(read_at(file, begin, SCAN_BYTES))) is not None:
        return Found(inside.kind, begin + inside.start, inside.skipped)
    if (found := _find_frames(file, start)) is not None:
        return found
    raise _not_audio(read_at(file, 0, SCAN_BYTES), read_at(file, start, SCAN_BYTES), called)


def container_at(file: BinaryIO, start: int) -> Found | None:
    """The container whose first byte is at `start`."""
    kind = kind_of(read_at(file, start, HEAD_BYTES))
    return None if kind is None else Found(kind, start)


def container_inside(head: bytes) -> Found | None:
    """The container that begins behind at most `MAX_BEFORE` bytes of something else.

    More is demanded of it than of one that begins a file. None = there is none, or these bytes are
    of a file that is known, such as an archive with a recording in it.

    Args:
        head: The first bytes of a file.
    """
    for place in range(1, min(len(head), MAX_BEFORE + 1)):
        kind = container_of(head[place : place + _STRICT_BYTES])
        if kind in _STRICT:
            return None if describe(head) is not None else Found(kind, place, place)
    return None


def following(file: BinaryIO, end: int) -> Found | None:
    """The recording that begins where another one has ended, behind tags and a byte of padding.

    Without a container it has to begin exactly there.
    """
    start = skip_tags(file, end)
    found = container_at(file, start) or container_at(file, start + 1)
    if found is not None:
        return found
    data = read_at(file, start, FOLLOWING_BYTES)
    for kind, parse in _STREAMS:
        if is_stream(data, 0, parse, whole=False):
            return Found(_later_ac3(kind, data), start)
    return None


_STRICT = frozenset(DEMUXERS) - {"MP3", "AAC"}  # those are found anywhere
_STRICT_BYTES = 96


def kind_of(head: bytes) -> str | None:
    """The one of `DEMUXERS` that begins with these bytes, 16 or more; None = none does.

    Not those without a container: MP3, AAC and AC-3.
    """
    if head[:4] in RIFF_NAMES and head[8:12] == b"WAVE":
        return "WAV"
    match head[:4], head[8:12]:
        case (b"FORM", b"AIFF" | b"AIFC"):
            return "AIFF"
        case (b"fLaC", _):
            return "FLAC"
        case (b"OggS", _):
            return "OGG"
        case (b".snd", _):
            return "AU"
        case (b"caff", _):
            return "CAF"
    if head.startswith(AMR_NAMES):
        return "AMR"
    if head.startswith(W64):
        return "WAV"
    if head.startswith(ASF):
        return "WMA"
    if head.startswith(EBML) and (b"webm" in head or b"matroska" in head):
        return "WebM"
    return "MP4" if head[4:8] in _MP4_BOXES else None


def skip_tags(file: BinaryIO, start: int) -> int:
    """The first byte behind all ID3v2 and APEv2 tags that begin at `start`."""
    while True:
        head = read_at(file, start, APE_HEADER)
        if head[:3] == b"ID3" and len(head) >= ID3_HEADER and max(head[6:10]) < 0x80:
            # https://id3.org/id3v2.4.0-structure, 3.1: seven bits a byte.
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            start += ID3_HEADER * (2 if head[5] & 0x10 else 1) + size
        elif head[:8] == b"APETAGEX" and len(head) == APE_HEADER:
            start += APE_HEADER + int.from_bytes(head[12:16], "little")
        else:
            return start


def only_zeros(file: BinaryIO, start: int) -> bool:
    """Whether a file has nothing else from here to its end."""
    while block := read_at(file, start, SCAN_BYTES):
        if block.strip(b"\0"):
            return False
        start += len(block)
    return True


def _skip_zeros(file: BinaryIO, start: int) -> int:
    for position in range(start, start + MAX_ZEROS, SCAN_BYTES):
        block = read_at(file, position, SCAN_BYTES)
        if not block:
            break
        if rest := block.lstrip(b"\0"):
            return position + len(block) - len(rest)
    return start


_STREAMS = (("MP3", mpeg_frame), ("AAC", adts_frame), ("LATM", loas_frame), ("AC-3", ac3_frame))


def _find_frames(file: BinaryIO, start: int) -> Found | None:
    """A stream of frames without a container; it may begin within a frame."""
    data = read_at(file, start, SCAN_BYTES)
    whole = len(data) < SCAN_BYTES
    places = [
        (place, kind)
        for kind, parse in _STREAMS
        if (place := find_stream(data, parse, whole=whole)) is not None
    ]
    if places:
        place, kind = min(places)
        return Found(_later_ac3(kind, data[place:]), start + place, place)
    if describe(data) is not None:
        return None
    # A single frame, or damage behind the first.
    for kind, parse in _STREAMS:
        if parse(data[:8]) is not None and (
            kind != "LATM" or is_stream(data, 0, parse, whole=True)
        ):
            return Found(kind, start)
    return None


def _later_ac3(kind: str, data: bytes) -> str:
    return "E-AC-3" if kind == "AC-3" and data[5] >> 3 > 10 else kind


def _not_audio(head: bytes, behind: bytes, called: str) -> AudioFileError:
    allowed = f"allowed: {', '.join(DEMUXERS)}"
    if not head:
        return AudioFileError(f"{called} is empty; {allowed}")
    if head[:3] == b"ID3" and not behind.strip(b"\0"):
        return AudioFileError(f"{called} holds an ID3 tag and no audio; {allowed}")
    named = "zeros" if not behind.strip(b"\0") else describe(head) or describe(behind)
    return AudioFileError(
        f"{called} is not an audio file{f' but {named}' if named else ''}; {allowed}; convert "
        "other formats: ffmpeg -i FILE recording.wav",
        "unsupported_media_type",
        unknown=named in (None, "zeros"),
    )
