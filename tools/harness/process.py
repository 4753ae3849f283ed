"""A real server process, and what can be asked of it from outside."""

import contextlib
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

PATIENCE_S = 40.0
"""For things that take a second; a loaded machine may need longer."""

UNWANTED = re.compile(r"Traceback|never retrieved|never awaited|was destroyed|[A-Z]\w+Warning")
"""What a server's log must not hold, whatever clients, workers and models do to it."""

ANNOUNCED = re.compile(r"Streamer \S+ on (https?)://127\.0\.0\.1:(\d+): loading")


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait for `condition`, looking often; it fails by saying what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    return [process for process in processes if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Reply(NamedTuple):
    """An answer to an HTTP request."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Server:
    """`python -m streamer` on a free port, with its log in `folder/server.log`.

    Args:
        folder: An empty one, which becomes the working directory.
        config: Written to `folder/config.json`; None for no file.
        flags: Of the command line.
        env: Added to the environment.
        within: A command that runs the server's, such as `unshare`; it must become the server.
        program: The command that is the server, without its flags.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, object] | None,
        *flags: str,
        env: Mapping[str, str] | None = None,
        within: Sequence[str] = (),
        program: Sequence[str] = (sys.executable, "-m", "streamer"),
    ) -> None:
        self._log = folder / "server.log"
        command = [*within, *program, "--port", "0"]
        if config is not None:
            (folder / "config.json").write_text(json.dumps(config))
            command += ["--config", "config.json"]
        inherited = {k: v for k, v in os.environ.items() if "__" not in k or k[:9] != "STREAMER_"}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**inherited, "PYTHONWARNINGS": "error", **(env or {})},
                start_new_session=True,
            )
        self.started_s = time.monotonic()

    def log(self, since: int = 0) -> str:
        return self._log.read_bytes()[since:].decode(errors="replace")

    @property
    def log_bytes(self) -> int:
        return self._log.stat().st_size

    @property
    def port(self) -> int:
        """As announced, once it is."""
        return self._announced()[1]

    def _announced(self) -> tuple[str, int]:
        """Scheme and port."""
        announced: list[tuple[str, str]] = []

        def looked() -> bool:
            announced[:] = ANNOUNCED.findall(self.log())
            return bool(announced) or self.process.poll() is not None

        wait_until(looked, "the server says its address")
        assert announced, f"the server ended:\n{self.log()}"
        scheme, port = announced[0]
        return scheme, int(port)

    def get(self, path: str, **headers: str) -> Reply:
        scheme, port = self._announced()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        if scheme == "https":
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=PATIENCE_S, context=trust
            )
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            lowered = {name.lower(): text for name, text in response.headers.items()}
            return Reply(response.status, lowered, response.read().decode())
        finally:
            connection.close()

    def wait_ready(self) -> None:
        wait_until(lambda: self.get("/api/v1/ready").status == 200, "the server is ready")
        wait_until(lambda: "Stop with Ctrl-C." in self.log(), "the server says what to do")

    def workers(self) -> list[psutil.Process]:
        """The processes that run the model."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any("spawn_main" in word for word in child.cmdline()):
                    found.append(child)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def family(self) -> list[psutil.Process]:
        """All processes it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def send(self, number: signal.Signals) -> int:
        """Send a signal that ends it; returns the exit code."""
        self.signal(number)
        return self.process.wait(PATIENCE_S)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; like Ctrl-C in a terminal, SIGINT reaches the workers too."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def end(self) -> None:
        """Whatever state it is in, leave nothing of it behind."""
        try:
            if self.process.poll() is None:
                family = self.family()
                self.send(signal.SIGTERM)
                wait_until(lambda: not alive(family), "the server's processes are gone")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE_S)
