"""A real HAProxy with a changed copy of this repository's configuration."""

import contextlib
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from tools.harness.process import TIMEOUT_S, wait_until


def listens(port: int) -> bool:
    """Whether connections to a port of this machine are accepted."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running_haproxy(
    config: Path, replaced: Mapping[str, str], port: int, folder: Path
) -> Iterator[psutil.Process]:
    """Run it until the context ends.

    Args:
        config: Its configuration.
        replaced: Texts of it, each of which is there once, and what takes their place.
        port: On which it then listens, on 127.0.0.1.
        folder: For the copy and the log.

    Raises:
        AssertionError: The configuration is refused, or the port is not listened on.
        FileNotFoundError: There is no HAProxy.
    """
    text = config.read_text()
    for written, wanted in replaced.items():
        assert text.count(written) == 1, written
        text = text.replace(written, wanted)
    # Each connection needs two descriptors, and this machine may not give as many.
    text = re.sub(r"^( +maxconn) \d+$", r"\1 2000", text, count=1, flags=re.MULTILINE)
    copy, log = folder / config.name, folder / "haproxy.log"
    copy.write_text(text)
    executable = shutil.which("haproxy")
    if executable is None:
        raise FileNotFoundError("haproxy is not installed: apt-get install haproxy")
    check = subprocess.run([executable, "-c", "-f", str(copy)], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr
    with log.open("wb") as out:
        process = subprocess.Popen([executable, "-f", str(copy)], stdout=out, stderr=out)
    try:
        wait_until(lambda: listens(port) or process.poll() is not None, "HAProxy listens")
        assert process.poll() is None, log.read_text()
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait(TIMEOUT_S)
