"""A part of a file as a file of its own, without a name."""

from os import SEEK_CUR, SEEK_END, SEEK_SET
from typing import BinaryIO, Protocol

MAX_POSITION = 1 << 40
"""Bytes. Sizes in a header may lead farther than a file system, or a number in C, can; there is
nothing."""


class Readable(Protocol):
    """What FFmpeg reads; it may be able to seek, too."""

    def read(self, count: int, /) -> bytes:
        """Wait for at least one byte, and return at most `count`; none at the end."""


class View:
    """Bytes `start` to `end` of a file, after a few of our own; for reading only.

    FFmpeg gets nothing else of a file. It has no name, so that no demuxer can derive another file
    from it.

    Args:
        file: Open for reading, with seek; its position is not moved by others meanwhile.
        start: First byte.
        end: Byte behind the last; None = the end of the file.
        head: Bytes that come before them.
    """

    def __init__(
        self, file: BinaryIO, start: int = 0, end: int | None = None, head: bytes = b""
    ) -> None:
        size = file.seek(0, SEEK_END)
        self._file = file
        self._start = min(start, size)
        self._head = head
        self.size = len(head) + max(0, (size if end is None else min(end, size)) - self._start)
        self._position = 0
        self._moved = True

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Bytes from the beginning."""
        return self._position

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Move; never before the beginning."""
        base = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        self._moved = True
        return self._position

    def read(self, count: int = -1) -> bytes:
        """At most `count` bytes; fewer only at the end, where there are none."""
        left = self.size - self._position
        count = left if count < 0 else min(count, left)
        if count <= 0:
            return b""
        from_head = self._head[self._position : self._position + count]
        self._position += len(from_head)
        count -= len(from_head)
        if not count:
            return from_head
        if self._moved:
            self._file.seek(self._start + self._position - len(self._head))
            self._moved = False
        data = self._file.read(count)
        self._position += len(data)
        return from_head + data if from_head else data


def read_at(file: BinaryIO, position: int, count: int) -> bytes:
    """The bytes at a place of a file; fewer at its end."""
    file.seek(min(position, MAX_POSITION))
    return file.read(count)
