"""What a file's header says of its length: a hint, to be compared with what is there."""

import struct
from typing import BinaryIO, NamedTuple

from streamer.audio.frames import mpeg_frame
from streamer.recordings.view import read_at

MAX_BOXES = 1 << 17
"""Boxes of an MP4 file at the top level that are looked at: two for each fragment."""

MAX_BOXES_BEFORE_BYTES = 1 << 20
"""Bytes of an MP4 file in which its index is looked for while it arrives."""

MAX_CHUNKS = 1_024
"""Chunks of a CAF file that are looked at."""


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


def declared_by_caf(file: BinaryIO, start: int) -> float | None:
    """Seconds of samples of a fixed size that CAF's data chunk declares; -1 bytes = unknown."""
    position, seconds_per_byte = start + 8, 0.0
    for _ in range(MAX_CHUNKS):
        head = read_at(file, position, 12)
        if len(head) < 12:
            return None
        size = int.from_bytes(head[4:12], "big", signed=True)
        if head[:4] == b"desc":
            rate, _, _, packet_bytes, packet_frames = struct.unpack(
                ">dIIII", read_at(file, position + 12, 24).ljust(24, b"\0")
            )
            if rate > 0 and packet_bytes:
                seconds_per_byte = packet_frames / packet_bytes / rate
        elif head[:4] == b"data":
            return (size - 4) * seconds_per_byte if size > 4 and seconds_per_byte else None
        if size < 0:
            return None
        position += 12 + size
    return None


class Mp4End(NamedTuple):
    """Where an MP4 file ends.

    Attributes:
        next_file: Where another MP4 file begins behind it; None = nowhere.
        strange_bytes: At the end of the file, that are no boxes.
    """

    next_file: int | None
    strange_bytes: int


def mp4_end(file: BinaryIO, start: int) -> Mp4End:
    """Follow the boxes at the top level of an MP4 file (ISO 14496-12, 4.2)."""
    file_size, position, has_index = file.seek(0, 2), start, False
    for _ in range(MAX_BOXES):
        head = read_at(file, position, 16)
        name, size = head[4:8], int.from_bytes(head[:4], "big")
        if name == b"ftyp" and has_index:
            return Mp4End(position, 0)
        has_index = has_index or name == b"moov"
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:
            # 0 = to the end of the file; zeros behind the last box are harmless.
            strange = file_size - position if size and len(head) >= 8 else 0
            return Mp4End(None, strange)
        if not is_box_name(name):
            return Mp4End(None, file_size - position)
        position += size
    return Mp4End(None, 0)


def is_box_name(name: bytes) -> bool:
    """Whether these bytes may be the type of a box of an MP4 file."""
    return all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in name)


def index_is_first(head: bytes, *, ended: bool) -> bool | None:
    """Whether an MP4 file has its index, the box `moov`, before its samples.

    Args:
        head: Its first bytes.
        ended: There are no others.

    Returns:
        None if more bytes are needed.
    """
    position = 0
    while position < MAX_BOXES_BEFORE_BYTES:
        box = head[position : position + 8]
        if len(box) < 8:
            return False if ended else None
        size, name = int.from_bytes(box[:4], "big"), box[4:]
        if name == b"moov":
            return True
        if size < 8 or name in (b"mdat", b"moof"):
            return False
        position += size
    return False


def has_index(file: BinaryIO, start: int) -> bool:
    """Whether an MP4 file has its index, the box `moov`, at its top level."""
    position = start
    for _ in range(MAX_BOXES):
        head = read_at(file, position, 16)
        size = int.from_bytes(head[:4], "big")
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:16], "big")
        if head[4:8] == b"moov":
            return True
        if size < 8:
            break
        position += size
    return False
