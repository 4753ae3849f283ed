"""A real server process, seen from outside: its log, its HTTP addresses, its child processes."""

import contextlib
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

TIMEOUT_S = 40.0
"""Seconds to wait for what takes one second on an idle machine."""

MODEL: Mapping[str, object] = {"type": "moonshine", "path": "moonshine-tiny-en"}
"""What is served unless something else is named: so neither the duration of the tests nor a figure
depends on the default."""

LOG_DEFECTS = re.compile(r"Traceback|never retrieved|never awaited|was destroyed|[A-Z]\w+Warning")
"""Found in a log = a defect of the server, whatever its clients, workers and models do."""

_ANNOUNCED = re.compile(r"Streamer \S+ on (https?)://\S+:(\d+)(?: \(.*\))?: loading")


def with_model(config: Mapping[str, object]) -> dict[str, object]:
    """A configuration that names its model: `MODEL`, if it has none."""
    return {**({} if "models" in config else {"model": MODEL}), **config}


def wait_until(condition: Callable[[], object], what: str, seconds: float = TIMEOUT_S) -> None:
    """Check a condition every 20 ms until it is true.

    Args:
        condition: Returns something true when it is met.
        what: The condition in words, for the failure.
        seconds: How long to wait.

    Raises:
        AssertionError: It is not met in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def cpu_s(process: psutil.Process) -> float:
    """Processor seconds of one process: a loop that asks for the time may be all `system`."""
    times = process.cpu_times()
    return float(times.user + times.system)


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The processes among these that have not ended."""
    return [process for process in processes if _is_running(process)]


def _is_running(process: psutil.Process) -> bool:
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
        """The body, parsed."""
        return json.loads(self.text)


class Server:
    """`python -m streamer` on a free port, with its log in `folder/server.log`.

    Args:
        folder: An empty one, which becomes the working directory.
        config: Written to `folder/config.json`, with `MODEL` if it names none; None for no file.
        flags: Of the command line.
        env: Added to the environment.
        wrapper: A command that is put before the server's and has to exec it, such as `unshare`.
        program: The command that is the server, without its flags.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, object] | None,
        *flags: str,
        env: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        program: Sequence[str] = (sys.executable, "-m", "streamer"),
    ) -> None:
        self._log = folder / "server.log"
        command = [*wrapper, *program, "--port", "0"]
        if config is not None:
            (folder / "config.json").write_text(json.dumps(with_model(config)))
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

    def log(self, since: int = 0) -> str:
        """What it has logged, without the first `since` bytes."""
        return self._log.read_bytes()[since:].decode(errors="replace")

    @property
    def log_bytes(self) -> int:
        """Size of the log so far."""
        return self._log.stat().st_size

    @property
    def port(self) -> int:
        """The port that it has announced; waits for that."""
        return self._announced()[1]

    def _announced(self) -> tuple[str, int]:
        """Scheme and port, once they are in the log."""
        announced: list[tuple[str, str]] = []

        def found_or_ended() -> bool:
            announced[:] = _ANNOUNCED.findall(self.log())
            return bool(announced) or self.process.poll() is not None

        wait_until(found_or_ended, "the server announces its address")
        assert announced, f"the server ended:\n{self.log()}"
        scheme, port = announced[0]
        return scheme, int(port)

    def get(self, path: str, **headers: str) -> Reply:
        """Send a GET request; a certificate is not verified."""
        scheme, port = self._announced()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        if scheme == "https":
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=TIMEOUT_S, context=trust
            )
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            lowered = {name.lower(): text for name, text in response.headers.items()}
            return Reply(response.status, lowered, response.read().decode())
        finally:
            connection.close()

    def wait_ready(self) -> None:
        """Wait until the workers are warm and that has been announced."""
        wait_until(lambda: self.get("/api/v1/ready").status == 200, "the server is ready")
        wait_until(
            lambda: "Stop with Ctrl-C." in self.log(), "the server announces that it is ready"
        )

    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any("spawn_main" in word for word in child.cmdline()):
                    found.append(child)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def decoders(self) -> list[psutil.Process]:
        """The processes that decode recordings and live streams, without their launcher."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if any("recordings.launcher" in word for word in child.cmdline()):
                    found += child.children()
        return found

    def descendants(self) -> list[psutil.Process]:
        """All processes that it has started, and those that these have started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end_by_signal(self, number: signal.Signals) -> int:
        """Send a signal that ends it; returns the exit code."""
        self.send_signal(number)
        return self.process.wait(TIMEOUT_S)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; like Ctrl-C in a terminal, SIGINT reaches the workers too."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def stop(self) -> None:
        """End it, in whatever state it is, and see that no process of it is left."""
        try:
            if self.process.poll() is None:
                descendants = self.descendants()
                self.end_by_signal(signal.SIGTERM)
                wait_until(
                    lambda: not still_running(descendants), "the server's processes are gone"
                )
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(TIMEOUT_S)


@contextlib.contextmanager
def running_server(
    config: Mapping[str, object] | None, *flags: str, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A warm server in a temporary folder, until the context ends; arguments as for `Server`."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), config, *flags, env=env)
        try:
            server.wait_ready()
            yield server
        finally:
            server.stop()
