"""Memory that sessions have left goes back to the system.

glibc returns what is free at the end of its heap. What is free in the middle, under a small object
that happens to live longer, it keeps until it is asked: after a session that had hundreds of
megabytes, for as long as the process lives. See malloc_trim(3).
"""

import asyncio
import ctypes
import os
import sys
from pathlib import Path

WAIT_S = 1.0
"""Sessions that end within this time are one occasion."""

WORTH_BYTES = 64 << 20
"""It takes up to some ten milliseconds, so it is done when there is so much to give back."""


class Trimmer:
    """Asks for it after sessions have ended."""

    def __init__(self) -> None:
        self._heap = _Heap() if has_heap() else None
        self._timer: asyncio.TimerHandle | None = None
        self._unused_bytes = self._heap.trimmed_bytes() if self._heap else 0
        """When last nothing of it could be given back, or less since then."""

    def soon(self) -> None:
        """Something has ended."""
        if self._heap is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WAIT_S, self._run, self._heap)

    def _run(self, heap: "_Heap") -> None:
        self._timer = None
        unused_bytes = heap.unused_bytes()
        if unused_bytes > self._unused_bytes + WORTH_BYTES:
            self._unused_bytes = heap.trimmed_bytes()
        else:
            self._unused_bytes = min(self._unused_bytes, unused_bytes)


class _Usage(ctypes.Structure):
    """struct mallinfo2, see mallinfo(3)."""

    _fields_ = [
        ("arena", ctypes.c_size_t),
        ("ordblks", ctypes.c_size_t),
        ("smblks", ctypes.c_size_t),
        ("hblks", ctypes.c_size_t),
        ("hblkhd", ctypes.c_size_t),
        ("usmblks", ctypes.c_size_t),
        ("fsmblks", ctypes.c_size_t),
        ("uordblks", ctypes.c_size_t),
        ("fordblks", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    ]


class _Heap:
    """The C library's, where it is glibc from 2.33 on."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._trim, self._usage = library.malloc_trim, library.mallinfo2
        self._usage.restype = _Usage

    def trimmed_bytes(self) -> int:
        """Give back what can be, and say what is unused then."""
        self._trim(0)
        return self.unused_bytes()

    def unused_bytes(self) -> int:
        """Held by the process, and not in use by those who asked the heap for it.

        Code, and memory that came from elsewhere, is in it; what matters is how it changes.
        """
        usage = self._usage()
        resident_pages = int(Path("/proc/self/statm").read_text().split()[1])  # see proc(5)
        return resident_pages * os.sysconf("SC_PAGE_SIZE") - int(usage.uordblks + usage.hblkhd)


def give_back() -> None:
    """At once; after something large was loaded, of which much is not needed any more."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def has_heap() -> bool:
    """Whether the C library can be asked."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallinfo2")
