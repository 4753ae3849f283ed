"""Where a file ends that has another file behind it.

Programs and people join recordings by writing one behind the other. FFmpeg reads some of these
containers to their declared end only, and says nothing of the rest; others it takes for damage.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, NamedTuple

from streamer.recordings.arrival import Arrival
from streamer.recordings.boundaries import MAX_ELEMENTS, boundary
from streamer.recordings.containers import Found, following
from streamer.recordings.view import View, read_at

_UNKNOWN = 0xFFFF_FFFF


class Behind(NamedTuple):
    """A file behind another one.

    Attributes:
        end: The byte behind the first one; tags may come between them.
        found: The other.
    """

    end: int
    found: Found


def file_behind(file: BinaryIO, found: Found) -> Behind | None:
    """The file that begins where another one ends; None = there is none, or no end is declared."""
    start = found.start
    match found.kind:
        case "AIFF":
            size = int.from_bytes(read_at(file, start + 4, 4), "big")
            return _behind(file, start + 8 + size) if size else None
        case "AU":
            head = read_at(file, start, 12)
            offset, size = (int.from_bytes(head[at : at + 4], "big") for at in (4, 8))
            return _behind(file, start + offset + size) if 0 < size < _UNKNOWN else None
        case "CAF":
            return _behind_elements(file, start + 8, header=12, size_at=4, order="big")
        case "WMA":
            return _behind_elements(file, start, header=0, size_at=16, order="little")
        case kind if (lengths := boundary(kind)) is not None:
            return _behind_lengths(file, start, lengths)
    return None


def _behind_elements(
    file: BinaryIO, position: int, *, header: int, size_at: int, order: Literal["big", "little"]
) -> Behind | None:
    """Follow elements to what is none of them.

    Args:
        file: Open for reading.
        position: Of the first one.
        header: Bytes of each that its size does not count.
        size_at: Where its size stands, 8 bytes.
        order: Of these bytes.
    """
    for number in range(MAX_ELEMENTS):
        if number and (behind := _behind(file, position)) is not None:
            return behind
        size = int.from_bytes(read_at(file, position + size_at, 8), order, signed=True)
        if size <= 0:
            return None
        position += header + size
    return None


def _behind_lengths(
    file: BinaryIO, start: int, lengths: Callable[[Arrival], Iterator[int]]
) -> Behind | None:
    """What is behind a file whose end is found from front to back."""
    arrival, end = Arrival(View(file, start)), start
    for length in lengths(arrival):
        there = arrival.skip(length)
        end += there
        if there < length:
            return None
    return _behind(file, end)


def _behind(file: BinaryIO, end: int) -> Behind | None:
    found = following(file, end)
    return None if found is None else Behind(end, found)
