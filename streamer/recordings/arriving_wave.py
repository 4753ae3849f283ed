"""A WAV file that is still arriving, behind another recording or before one."""

import struct
from collections.abc import Generator, Iterator

from streamer.recordings.arrival import READ_BYTES, Arrival, Stretch
from streamer.recordings.damage import Damage
from streamer.recordings.errors import AudioFileError
from streamer.recordings.parts import Part
from streamer.recordings.riff import (
    MAX_CHUNKS,
    MAX_FMT_BYTES,
    UNKNOWN_BYTES,
    UNKNOWN_LONG_BYTES,
    is_name,
    plain_header,
    shortfall,
)
from streamer.recordings.wave_end import more_samples

_UNKNOWN = 0xFFFF_FFFF


def wave_parts(arrival: Arrival, damage: Damage) -> Generator[Part, None, None]:
    """The samples of a little-endian file that begins here.

    Raises:
        AudioFileError: It has no format or no samples.
    """
    fmt, declared = _header(arrival)
    plain = plain_header(fmt, "<")
    stretch = Stretch(arrival, _samples(arrival, declared), plain.head)
    yield Part("WAV", plain.demuxer, stretch, arriving=True)
    stretch.finish()
    if declared is not None:
        note = shortfall(declared, stretch.taken_bytes, plain.bytes_per_second)
        if note is not None:
            damage.note(note)


def _header(arrival: Arrival) -> tuple[bytes, int | None]:
    """The format, and how many bytes of samples are declared; they come next."""
    fmt, size64 = b"", None
    arrival.skip(12)
    for _ in range(MAX_CHUNKS):
        head = arrival.look(8)
        if len(head) < 8:
            break
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data":
            if len(fmt) < 14:
                raise AudioFileError(
                    "the WAV file is damaged: the format of its samples is missing"
                )
            arrival.skip(8)
            unknown_from = UNKNOWN_BYTES
            if size == _UNKNOWN and size64 is not None:
                size, unknown_from = size64, UNKNOWN_LONG_BYTES
            return fmt, size if 0 < size < unknown_from else None
        if name == b"fmt ":
            fmt = arrival.look(8 + min(size, MAX_FMT_BYTES))[8:]
        elif name == b"ds64":
            size64 = struct.unpack("<Q", arrival.look(24)[16:].ljust(8, b"\0"))[0]
        arrival.skip(8 + size)
        if size % 2:
            behind = arrival.look(5)
            if not is_name(behind[:4]) or is_name(behind[1:]):
                arrival.skip(1)
    raise AudioFileError("the WAV file is damaged or not complete: the samples are missing")


def _samples(arrival: Arrival, declared: int | None) -> Iterator[int]:
    if declared is not None:
        yield declared
        if not more_samples(arrival, odd=bool(declared % 2)):
            return
    while True:
        yield READ_BYTES
