"""What a peer takes from the machine: of its process and all below it."""

import contextlib
from collections.abc import Iterator

import psutil

from tools.harness.process import cpu_s


class Usage:
    """Of the process `pid` and its descendants."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    @property
    def cpu_s(self) -> float:
        """Processor seconds so far of those that run."""
        return sum(map(cpu_s, self._processes()))

    @property
    def memory_mb(self) -> float:
        """Megabytes; what processes share counts once (PSS)."""
        found = 0
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                found += process.memory_full_info().pss
        return found / 1e6

    def _processes(self) -> Iterator[psutil.Process]:
        yield self._process
        yield from self._process.children(recursive=True)
