"""What a file's header says of its length: a hint, to be compared with what is there."""

from typing import BinaryIO

from streamer.recordings.frames import mpeg_frame
from streamer.recordings.view import read_at


def declared_by_flac(file: BinaryIO, start: int) -> float | None:
    """Seconds that STREAMINFO declares (RFC 9639, 8.2); 0 samples = unknown."""
    head = read_at(file, start, 26)
    if len(head) < 26 or head[4] & 0x7F:
        return None
    packed = int.from_bytes(head[18:26], "big")
    rate, samples = packed >> 44, packed & (1 << 36) - 1
    return samples / rate if rate and samples else None


def declared_by_mp3(file: BinaryIO, start: int) -> float | None:
    """Seconds that the first frame declares, in the form of Xing (and LAME) or of Fraunhofer."""
    head = read_at(file, start, 256)
    frame = mpeg_frame(head)
    if frame is None or not frame.samples:
        return None
    place = 4 + frame.side_bytes
    if head[place : place + 4] in (b"Xing", b"Info"):
        flags = int.from_bytes(head[place + 4 : place + 8], "big")
        frames = int.from_bytes(head[place + 8 : place + 12], "big") if flags & 1 else 0
        behind = (
            place + 8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
        )
        delays = head[behind + 21 : behind + 24]
        padding = 0
        if head[behind : behind + 4] in (b"LAME", b"Lavf", b"Lavc") and len(delays) == 3:
            padding = (delays[0] << 4 | delays[1] >> 4) + ((delays[1] & 15) << 8 | delays[2])
    elif head[36:40] == b"VBRI":
        frames, padding = int.from_bytes(head[50:54], "big"), 0
    else:
        return None
    samples = frames * frame.samples - padding
    return samples / frame.sample_rate if frames and samples > 0 else None


def has_box(file: BinaryIO, start: int, name: bytes) -> bool:
    """Whether an MP4 file has a box of this name at its top level."""
    return any(box == name for box, _ in boxes(file, start))


def next_mp4(file: BinaryIO, start: int) -> int | None:
    """Where another MP4 file begins behind this one; None = nowhere."""
    seen_moov = False
    for name, position in boxes(file, start):
        if name == b"ftyp" and seen_moov and position > start:
            return position
        seen_moov = seen_moov or name == b"moov"
    return None


def boxes(file: BinaryIO, start: int) -> list[tuple[bytes, int]]:
    """The names and places of an MP4 file's boxes at its top level (ISO 14496-12, 4.2)."""
    found: list[tuple[bytes, int]] = []
    position = start
    while len(found) < MAX_BOXES:
        head = read_at(file, position, 16)
        if len(head) < 8:
            break
        size = int.from_bytes(head[:4], "big")
        found.append((head[4:8], position))
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0 = to the end of the file
            break
        position += size
    return found


MAX_BOXES = 1 << 17
"""Boxes at the top level that are looked at: two for each fragment."""
