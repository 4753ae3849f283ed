"""A FLAC stream cut into its frames (RFC 9639, 9), as it arrives. Pure.

The header of a frame does not give its length: a frame ends where the next one begins. FFmpeg waits
for ten of them to be certain, which is a second or more. Here, what follows a frame has to have a
right check sum, and the number that follows.
"""

from collections.abc import Iterator

from streamer.audio.frames import FLAC_HEADER_BYTES, is_flac_frame
from streamer.recordings.view import Readable

READ_BYTES = 65_536
"""Bytes that are read at once, at most."""

MAX_FRAME_BYTES = 1 << 22
"""Bytes of the longest frame: 65 535 samples of 8 channels, 32 bits each, and a little more."""

STREAM_INFO_BYTES = 34

_MAX_LOST_FRAMES = 64
"""Frames that may be missing between two, which damage has left out."""

_LARGEST_BLOCK = 65_536


class FlacFrames:
    """One FLAC file from front to back.

    Args:
        reader: At the first byte of the file.

    Attributes:
        stream_info: The content of the block STREAMINFO; empty = the file ends before.
    """

    def __init__(self, reader: Readable) -> None:
        self._reader = reader
        self._data = bytearray()
        self.stream_info = self._metadata()

    def frames(self) -> Iterator[bytes]:
        """Yield each frame as soon as the next one begins, and the last one at the end."""
        searched = 1
        while True:
            place = self._next_frame(searched)
            if place is not None:
                yield self._take(place)
                searched = 1
                continue
            searched = max(1, len(self._data) - FLAC_HEADER_BYTES)
            if len(self._data) > MAX_FRAME_BYTES:
                yield self._take(searched)  # damage: no frame is as long
                searched = 1
            if not self._more():
                break
        if (place := self._next_frame(1, over=True)) is not None:
            yield self._take(place)
        if self._data:
            yield self._take(len(self._data))

    def _next_frame(self, start: int, *, over: bool = False) -> int | None:
        """Where the frame behind the one at 0 begins; None = not as far as can be seen."""
        data = self._data
        this = _number(data[:FLAC_HEADER_BYTES])
        end = len(data) - (0 if over else FLAC_HEADER_BYTES - 1)
        place = data.find(0xFF, start, max(start, end))
        while place >= 0:
            head = bytes(data[place : place + FLAC_HEADER_BYTES])
            if is_flac_frame(head) and _follows(this, _number(head), variable=bool(head[1] & 1)):
                return place
            place = data.find(0xFF, place + 1, max(place + 1, end))
        return None

    def _take(self, count: int) -> bytes:
        taken = bytes(self._data[:count])
        del self._data[:count]
        return taken

    def _more(self) -> bool:
        data = self._reader.read(READ_BYTES)
        self._data += data
        return bool(data)

    def _exactly(self, count: int) -> bytes:
        """The next bytes; fewer only at the end."""
        while len(self._data) < count and self._more():
            pass
        return self._take(count)

    def _metadata(self) -> bytes:
        self._exactly(4)
        info, last = b"", False
        while not last:
            head = self._exactly(4)
            if len(head) < 4:
                return info
            last, size = bool(head[0] & 0x80), int.from_bytes(head[1:], "big")
            if head[0] & 0x7F == 0 and not info:
                info = self._exactly(size)[:STREAM_INFO_BYTES]
                continue
            while size > 0 and (data := self._exactly(min(size, READ_BYTES))):
                size -= len(data)
        return info


def _number(head: bytes | bytearray) -> int:
    """The number of a frame, or of its first sample: coded as UTF-8 is (RFC 9639, 9.1.5)."""
    if len(head) < 5:
        return -1
    first = head[4]
    if first < 0x80:
        return first
    length = 8 - (first ^ 0xFF).bit_length()
    value = first & (0x7F >> length)
    for byte in head[5 : 4 + length]:
        value = value << 6 | byte & 0x3F
    return value


def _follows(before: int, number: int, *, variable: bool) -> bool:
    """Whether a frame with a number can follow another one."""
    most = _MAX_LOST_FRAMES * (_LARGEST_BLOCK if variable else 1)
    return before < number <= before + most
