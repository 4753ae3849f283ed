"""What a process that decodes strangers' bytes may still do: read, write and compute, and little.

Without root, namespaces or a container. No descriptor can be opened any more, so there are no other
files, no network, no new pipes; and no memory, processor time or size of a file without end.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Collection, Iterator

SERVER_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""They may reach all processes of the server, from a terminal or a service manager; only the server
acts on them, and ends the launcher."""

CPU_S = 600
"""Seconds of processor time for a recording. The slowest accepted codec, measured, takes 5 s for an
hour of one channel; the longest recording is 4 hours by default."""

LIVE_CPU_S = 86_400
"""Seconds of processor time for a live stream, which may last for days. One that takes long for a
piece of it is ended by the server."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38  # prctl(2)
_HIGHEST_FD = 4_096  # descriptors of the launcher are few, and the lowest numbers are taken


def address_space_bytes() -> int:
    """Bytes of this process's address space; 0 where that cannot be seen (not Linux)."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 – shorter
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Block `SERVER_SIGNALS`, so that a process that is started cannot be ended by them at once.

    The process inherits the mask, and removes it with `ignore_signals`.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SERVER_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_signals() -> None:
    """Ignore `SERVER_SIGNALS` from now on, also those that were blocked and have come already."""
    for number in SERVER_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SERVER_SIGNALS)


def keep_only(descriptors: Collection[int]) -> None:
    """Close all descriptors but these, and those of standard input, output and error."""
    kept = sorted({0, 1, 2, *descriptors})
    for low, high in zip(kept, [*kept[1:], _HIGHEST_FD], strict=True):
        os.closerange(low + 1, high)


def confine(memory_bytes: int, cpu_s: int) -> None:
    """Take from this process, for good, what decoding does not need.

    Args:
        memory_bytes: The address space that it may have; 0 = no limit.
        cpu_s: Seconds of processor time that it may take.
    """
    ignore_signals()  # only the launcher ends it
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_DUMPABLE, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,
        # Descriptors that are open stay so; none can be opened: no file, no socket.
        resource.RLIMIT_NOFILE: 0,
        # Counts the user's processes and threads, so 0 forbids new ones; root is exempt.
        resource.RLIMIT_NPROC: 0,
    }
    if memory_bytes:
        limits[resource.RLIMIT_AS] = memory_bytes
    for name, limit in limits.items():
        resource.setrlimit(name, (limit, limit))
