"""A peer's process: from its environment, on a port of its own, ended with all its children."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.bench.peers.peer import Absent
from tools.bench.result_files import ROOT
from tools.harness.process import wait_until

ENVIRONMENTS = ROOT / "build/peers"

START_S = 90.0
"""Seconds in which a peer has to listen: it may read weights before."""

STOP_S = 10.0
"""Seconds that it may take to end."""


def installed(environment: str, program: str) -> Path:
    """A program of a peer's environment.

    Raises:
        Absent: It is not there.
    """
    folder = ENVIRONMENTS / environment
    if not (folder / ".installed").exists():
        raise Absent(f"not installed: `make peers` makes build/peers/{environment}")
    return folder / "bin" / program


def packages(environment: str) -> Path:
    """The folder of an environment's packages.

    Raises:
        Absent: It is not there.
    """
    python = installed(environment, "python")
    found = sorted(python.parents[1].glob("lib/python3*/site-packages"))
    if not found:
        raise Absent(f"build/peers/{environment} has no packages: remove it, and `make peers`")
    return found[0]


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], port: int, env: Mapping[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """A peer's process, from when it listens until the context ends.

    Args:
        command: Starts it, in an empty folder.
        port: On which it listens.
        env: Laid over this process's environment.

    Yields:
        The port and the process id.

    Raises:
        Absent: It ends, or does not listen in time. The last line that it printed is the reason.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        try:
            _wait_until_it_listens(process, port, log)
            yield port, process.pid
        finally:
            _stop(process)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    try:
        wait_until(lambda: process.poll() is not None or _listens(port), "it listens", START_S)
    except AssertionError:
        raise Absent(f"does not listen within {START_S:g} s") from None
    if process.poll() is not None:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise Absent(f"does not start: {lines[-1][:200] if lines else 'it printed nothing'}")


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End it and its children, first with a signal that it may act on."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOP_S)
