"""OGG files (RFC 3533), cut into the links of their chain.

A chain is several OGG files, one after the other; each link may have another codec, rate and number
of channels, and is decoded as a file of its own. It is read from front to back: where a link
ends is seen by its successor's first page.
"""

import zlib
from typing import BinaryIO

PAGE_HEADER = 27
"""Bytes before a page's table of segments."""

MAX_PAGE = PAGE_HEADER + 255 + 255 * 255
"""Bytes of the longest page."""

_CAPTURE = b"OggS"
_FIRST, _LAST = 2, 4  # flags: the first and the last page of a stream
_CHECKSUM = slice(22, 26)
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Pages:
    """The pages of a file, in order.

    Args:
        file: Open for reading.
        start: The first page.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        self._position = start
        self._next: bytes | None = None
        self.skipped_bytes = 0
        """Bytes between pages so far, and of a last page that is not whole."""
        self.damaged = 0
        """Pages so far whose checksum is wrong. FFmpeg would leave them out, with a second of audio
        each; so they get the right one, and the codec makes of them what it can."""

    def peek(self) -> bytes | None:
        """The next page; None = there is none."""
        if self._next is None:
            self._next = self._read()
        return self._next

    def take(self) -> None:
        """Go on behind the page that `peek` gave."""
        self._next = None

    def _read(self) -> bytes | None:
        while self._position < self._size:
            self._file.seek(self._position)
            data = self._file.read(MAX_PAGE)
            length = _page_length(data)
            if length and length <= len(data):
                self._position += length
                page = data[:length]
                if page[_CHECKSUM] == checksum(page):
                    return page
                self.damaged += 1
                return with_checksum(page)
            place = data.find(_CAPTURE, 1)
            if length and place < 0 and (rest := _begun_page(data)):
                self.skipped_bytes += len(data) - len(rest)
                self._position = self._size
                return rest
            # Damage, or the end: look for the next page.
            step = place if place > 0 else max(1, len(data) - len(_CAPTURE) + 1)
            if place < 0 and self._position + len(data) >= self._size:
                step = len(data)
            if data[:step].strip(b"\0"):
                self.skipped_bytes += step
            self._position += step
        return None


class Link:
    """One link of a chain as a file that cannot seek: FFmpeg reads it from front to back.

    Args:
        pages: At the link's first page.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._rest = b""
        self._headers = True
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is not."""
        return False

    def read(self, count: int) -> bytes:
        """At most `count` bytes; none at the end of the link."""
        while not self._rest and not self._ended:
            page = self._pages.peek()
            if page is None or self._is_next_link(page):
                self._ended = True
                break
            self._pages.take()
            self._rest = page
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    def finish(self) -> None:
        """Go to the end of the link, if it was not read to it."""
        while self.read(MAX_PAGE):
            pass

    def _is_next_link(self, page: bytes) -> bool:
        first = bool(page[5] & _FIRST)
        if first and not self._headers:
            return True
        # All first pages of a link's streams come before any other page.
        self._headers = self._headers and first
        return False


def checksum(page: bytes) -> bytes:
    """The checksum that a page has to have (RFC 3533, 6), as it stands in the page.

    It is the CRC-32 of zlib with the bits of everything in the other order, and without inversion.
    """
    blank = page[:22] + bytes(4) + page[26:]
    mirrored = zlib.crc32(blank.translate(_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return mirrored.to_bytes(4, "big").translate(_REVERSED)


def with_checksum(page: bytes) -> bytes:
    """A page with the right checksum."""
    return page[:22] + checksum(page) + page[26:]


def _begun_page(data: bytes) -> bytes:
    """A page without the segments that are not there any more; empty when none are."""
    table = data[PAGE_HEADER : PAGE_HEADER + data[26]]
    there, whole = PAGE_HEADER + data[26], 0
    while whole < len(table) and there + table[whole] <= len(data):
        there += table[whole]
        whole += 1
    if len(data) < PAGE_HEADER + data[26] or not whole:
        return b""
    # It is not the last page any more: by the last one's position, FFmpeg cuts padding off.
    head = data[:5] + bytes([data[5] & ~_LAST]) + data[6:26] + bytes([whole]) + table[:whole]
    return with_checksum(head + data[PAGE_HEADER + data[26] : there])


def _page_length(data: bytes) -> int:
    """Bytes of the page that begins here; 0 = none does."""
    if len(data) < PAGE_HEADER or data[:4] != _CAPTURE or data[4] != 0:
        return 0
    segments = data[26]
    return PAGE_HEADER + segments + sum(data[PAGE_HEADER : PAGE_HEADER + segments])
