"""Saves memory: an event that takes little, and the return of what ended sessions have freed.

glibc returns free memory at the end of its heap by itself. Free memory in the middle, below a small
object that lives longer, stays with the process until malloc_trim(3) is called: after a session
with hundreds of megabytes, for as long as the process lives.
"""

import asyncio
import ctypes
import os
import sys
from pathlib import Path
from typing import Literal

WAIT_S = 1.0
"""Seconds from the end of a session to the check. Sessions that end in between share one check."""

MIN_FREED_BYTES = 64 << 20
"""Bytes freed since the last trim from which another one pays: it can take ten milliseconds."""


class LightEvent:
    """As `asyncio.Event`, in less than 100 bytes instead of 850: each session has several.

    asyncio's holds a deque, of which an empty one takes 760 bytes.
    """

    __slots__ = ("_is_set", "_waiters")

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: list[asyncio.Future[None]] | None = None
        """Of the tasks that wait; None = there is none."""

    def is_set(self) -> bool:
        """Whether waiting tasks go on."""
        return self._is_set

    def set(self) -> None:
        """Let waiting tasks go on, and those that will wait."""
        self._is_set = True
        for waiter in self._waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Let tasks wait from now on."""
        self._is_set = False

    async def wait(self) -> Literal[True]:
        """Wait until the event is set; a task goes on even if it is cleared meanwhile."""
        if self._is_set:
            return True
        waiter = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        waiters = self._waiters
        waiters.append(waiter)
        try:
            await waiter
            return True
        finally:
            waiters.remove(waiter)
            if not waiters:
                self._waiters = None


class Trimmer:
    """Trims the heap after sessions have ended, when enough of it is unused."""

    def __init__(self) -> None:
        self._heap = _Heap() if has_heap() else None
        self._timer: asyncio.TimerHandle | None = None
        self._unused_bytes = self._heap.trimmed_bytes() if self._heap else 0
        """Unused heap after the last trim, or the lowest value seen since."""

    def soon(self) -> None:
        """A session has ended: check in `WAIT_S`, unless a check is pending."""
        if self._heap is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WAIT_S, self._run, self._heap)

    def _run(self, heap: "_Heap") -> None:
        self._timer = None
        unused_bytes = heap.unused_bytes()
        if unused_bytes > self._unused_bytes + MIN_FREED_BYTES:
            self._unused_bytes = heap.trimmed_bytes()
        else:
            self._unused_bytes = min(self._unused_bytes, unused_bytes)


class _Usage(ctypes.Structure):
    """`struct mallinfo2`, see mallinfo(3)."""

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
    """The heap of the C library, if that is glibc 2.33 or later."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._trim, self._usage = library.malloc_trim, library.mallinfo2
        self._usage.restype = _Usage

    def trimmed_bytes(self) -> int:
        """Trim; returns the bytes that are still unused."""
        self._trim(0)
        return self.unused_bytes()

    def unused_bytes(self) -> int:
        """Bytes resident in the process but not allocated from the heap.

        Code and memory from other allocators are included: only changes of the value matter.
        """
        usage = self._usage()
        resident_pages = int(Path("/proc/self/statm").read_text().split()[1])  # see proc(5)
        return resident_pages * os.sysconf("SC_PAGE_SIZE") - int(usage.uordblks + usage.hblkhd)


def trim_heap() -> None:
    """Trim now, e.g. after loading a model whose source file is no longer needed."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def has_heap() -> bool:
    """Whether the C library can report and trim its heap."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallinfo2")
