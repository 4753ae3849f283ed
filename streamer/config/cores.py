"""How many cores the server may use."""

import os


def usable_cores() -> int:
    """Cores of the machine that this process may run on.

    `taskset`, systemd's `CPUAffinity=` and a container's set of CPUs choose them. A container's
    limit of CPU time does not: a process in it sees all cores.
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
