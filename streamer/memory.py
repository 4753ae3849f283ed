"""Memory that sessions have left goes back to the system.

glibc returns what is free at the end of its heap. What is free in the middle, under a small object
that happens to live longer, it keeps until it is asked: after a session that had hundreds of
megabytes, for as long as the process lives. See malloc_trim(3).
"""

import asyncio
import ctypes
import sys
from collections.abc import Callable

WAIT_S = 1.0
"""Sessions that end within this time are one occasion. Each takes some milliseconds."""


class Trimmer:
    """Asks for it after sessions have ended."""

    def __init__(self) -> None:
        self._trim = _malloc_trim()
        self._timer: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Something has ended."""
        if self._trim is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WAIT_S, self._run, self._trim)

    def _run(self, trim: Callable[[int], int]) -> None:
        self._timer = None
        trim(0)


def _malloc_trim() -> Callable[[int], int] | None:
    """The function, where the C library has it."""
    if sys.platform != "linux":
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found
