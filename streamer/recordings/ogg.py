"""OGG files (RFC 3533), cut into the links of their chain.

A chain is several OGG files, one after the other; each link may have another codec, rate and number
of channels, and is decoded as a file of its own. It is read from front to back: where a link
ends is seen by its successor's first page.
"""

import zlib
from collections.abc import Callable

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
        read: Waits for at least one byte, and returns at most as many as asked for; none at the
            end. No more is asked for than belongs to the next page: it may come live.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read_bytes = read
        self._arrived = bytearray()
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
        arrived = self._arrived
        while self._fill(PAGE_HEADER):
            length = self._length()
            if length and self._fill(length):
                page = bytes(arrived[:length])
                if page[_CHECKSUM] == checksum(page):
                    del arrived[:length]
                    return page
                self.damaged += 1
                # If bytes of it are lost, the next page begins within what should be this one.
                self._fill(length + len(_CAPTURE))
                place = arrived.find(_CAPTURE, 1, length + len(_CAPTURE))
                if not 0 < place < length or not (rest := _begun_page(page[:place])):
                    del arrived[:length]
                    return with_checksum(page)
                self.skipped_bytes += place - len(rest)
                del arrived[:place]
                return rest
            place = arrived.find(_CAPTURE, 1)
            if length and place < 0 and (rest := _begun_page(bytes(arrived))):
                self.skipped_bytes += len(arrived) - len(rest)
                arrived.clear()
                return rest
            # Damage, or the end: look for the next page.
            self._skip(place if place > 0 else len(arrived) - len(_CAPTURE) + 1)
        self._skip(len(arrived))
        return None

    def _length(self) -> int:
        """Bytes of the page that begins here; 0 = none does."""
        if self._arrived[:4] != _CAPTURE or self._arrived[4] != 0:
            return 0
        self._fill(PAGE_HEADER + self._arrived[26])
        return _page_length(bytes(self._arrived))

    def _fill(self, count: int) -> bool:
        """Wait until `count` bytes have arrived; False = the end came before."""
        while len(self._arrived) < count:
            data = self._read_bytes(count - len(self._arrived))
            if not data:
                return False
            self._arrived += data
        return True

    def _skip(self, count: int) -> None:
        if self._arrived[:count].strip(b"\0"):
            self.skipped_bytes += count
        del self._arrived[:count]


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
    # Without the end-of-stream flag, or FFmpeg cuts off what is behind the position as padding.
    head = data[:5] + bytes([data[5] & ~_LAST]) + data[6:26] + bytes([whole]) + table[:whole]
    return with_checksum(head + data[PAGE_HEADER + data[26] : there])


def _page_length(data: bytes) -> int:
    """Bytes of the page that begins here; 0 = none does."""
    if len(data) < PAGE_HEADER or data[:4] != _CAPTURE or data[4] != 0:
        return 0
    segments = data[26]
    return PAGE_HEADER + segments + sum(data[PAGE_HEADER : PAGE_HEADER + segments])
