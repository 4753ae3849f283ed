"""Bytes that arrive on a pipe: looked at before they are read, and never waited for in vain."""

from collections.abc import Iterable

from streamer.recordings.view import Readable

READ_BYTES = 65_536
"""Bytes that are read at once, at most."""


class Arrival:
    """What arrives, from front to back.

    Args:
        reader: At the first byte.
    """

    def __init__(self, reader: Readable) -> None:
        self._reader = reader
        self._data = b""
        self._at = 0
        self.ended = False
        """Whether nothing comes behind `ahead`."""

    @property
    def ahead(self) -> bytes:
        """What has been looked at and not read yet."""
        return self._data[self._at :]

    def more(self) -> bool:
        """Wait for more bytes behind `ahead`; False = the end has come."""
        if not self.ended:
            data = self._reader.read(READ_BYTES)
            self._data, self._at = self.ahead + data, 0
            self.ended = not data
        return not self.ended

    def look(self, count: int) -> bytes:
        """The next `count` bytes, without reading them; fewer only at the end."""
        while len(self._data) - self._at < count and self.more():
            pass
        return self._data[self._at : self._at + count]

    def read(self, count: int) -> bytes:
        """Wait for at least one byte, and return at most `count`; none at the end."""
        if self._at == len(self._data):
            self.more()
        data = self._data[self._at : self._at + count]
        self._at += len(data)
        return data

    def skip(self, count: int) -> int:
        """Read bytes that are not needed; returns how many there were."""
        left = count
        while left and (data := self.read(min(left, READ_BYTES))):
            left -= len(data)
        return count - left

    def put_back(self, data: bytes) -> None:
        """Have these bytes read before all others."""
        self._data, self._at = data + self.ahead, 0


class Stretch:
    """A part of what arrives, as a file of its own that cannot seek.

    Args:
        arrival: At the first byte.
        lengths: Numbers of bytes that belong to it, one after the other; each is asked for when
            the bytes before it have been read, and may look at what comes next.
        head: Bytes that come before them.
    """

    def __init__(self, arrival: Arrival, lengths: Iterable[int], head: bytes = b"") -> None:
        self._arrival = arrival
        self._lengths = iter(lengths)
        self._head = head
        self._left = 0
        self.taken_bytes = 0
        """Bytes that were read so far, without `head`."""

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is not."""
        return False

    def read(self, count: int) -> bytes:
        """Wait for at least one byte, and return at most `count`; none at the end."""
        if self._head:
            data, self._head = self._head[:count], self._head[count:]
            return data
        while not self._left:
            following = next(self._lengths, None)
            if following is None:
                return b""
            self._left = following
        data = self._arrival.read(min(count, self._left))
        self._left -= len(data)
        self.taken_bytes += len(data)
        return data

    def finish(self) -> None:
        """Go to its end, if it was not read to it."""
        while self.read(READ_BYTES):
            pass
