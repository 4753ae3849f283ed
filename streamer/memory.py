"""Memory that sessions have left goes back to the system.

glibc returns what is free at the end of its heap. What is free in the middle, under a small object
that happens to live longer, it keeps until it is asked: after a session that had hundreds of
megabytes, for as long as the process lives. See malloc_trim(3).
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

WAIT_S = 1.0
"""Sessions that end within this time are one occasion."""

WORTH_BYTES = 64 << 20
"""It takes up to some ten milliseconds, so it is done when the process has grown by so much."""


class Trimmer:
    """Asks for it after sessions have ended."""

    def __init__(self) -> None:
        self._trim = _malloc_trim()
        self._timer: asyncio.TimerHandle | None = None
        self._resident = _resident_bytes() if self._trim else 0
        """After the last time."""

    def soon(self) -> None:
        """Something has ended."""
        if self._trim is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WAIT_S, self._run, self._trim)

    def _run(self, trim: Callable[[int], int]) -> None:
        self._timer = None
        if _resident_bytes() > self._resident + WORTH_BYTES:
            trim(0)
            self._resident = _resident_bytes()


def _malloc_trim() -> Callable[[int], int] | None:
    """The function, where the C library has it."""
    if sys.platform != "linux":
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found


def _resident_bytes() -> int:
    """See proc(5), statm."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
