"""What a peer takes from the machine: of its process and all below it; and what others take."""

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
        found = 0.0
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                found += cpu_s(process)
        return found

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
        with contextlib.suppress(psutil.NoSuchProcess):
            yield from self._process.children(recursive=True)


def busy_s() -> float:
    """Processor seconds that all programs of the machine have used so far, on all cores."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)
