"""A real Ray cluster of several nodes on this machine, each of which can be killed in parts."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, still_running, wait_until

ROOT = Path(__file__).parents[2]

PYTHON = ROOT / "build/ray/bin/python"
"""Has Ray, and what the server needs: `make ray` makes it."""

PROGRAM = (str(PYTHON), "-m", "streamer")
"""A server that can use Ray."""

STORE_BYTES = 100_000_000
"""The object store of a node: about the least that Ray takes. Nothing of ours goes through it."""

QUIET: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Otherwise a head demands tokens once a person has started Ray in a program of their own, which
    # leaves one in their home.
    "RAY_AUTH_MODE": "disabled",
    # Ray would kill actors when the machine's memory is nearly full, whoever uses it.
    "RAY_memory_monitor_refresh_ms": "0",
}


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its name, and the processes that `ray start` has left behind."""

    name: str
    processes: Mapping[psutil.Process, str]
    """With the name of the program of each."""

    def only(self, program: str) -> psutil.Process:
        """The single process of the node that runs this program."""
        (found,) = [process for process, name in self.processes.items() if name == program]
        return found


class RayCluster:
    """Nodes that were started one after another; the first one is the head.

    Processes of the cluster are known by its own temporary folder, which is on their command lines
    or on those of their parents. So no other cluster of this machine is touched.

    Args:
        env: Added to the environment of all nodes.

    Attributes:
        folder: Its files, and the sockets of its nodes.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        # Sockets are in it, whose paths may have 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
        self._env = {**QUIET, **(env or {})}
        self._port = free_port()
        self.nodes: list[Node] = []

    @property
    def path(self) -> str:
        """The `PYTHONPATH` of its nodes."""
        return self._env.get("PYTHONPATH", str(ROOT))

    @property
    def address(self) -> str:
        """Of the head, as `remote.address`."""
        return f"127.0.0.1:{self._port}"

    def start(
        self,
        name: str,
        *,
        cpus: int = 1,
        resources: Mapping[str, float] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Node:
        """Start a node; the first one with the head's processes."""
        before = set(self.processes())
        head = ["--head", f"--port={self._port}", f"--temp-dir={self.folder}"]
        head.append("--include-dashboard=false")
        head.append(f"--ray-client-server-port={free_port()}")
        where = [f"--address={self.address}"] if self.nodes else head
        command = [str(PYTHON.with_name("ray")), "start", *where, "--node-ip-address=127.0.0.1"]
        command += [f"--node-name={name}"]
        command += [f"--num-cpus={cpus}", f"--object-store-memory={STORE_BYTES}"]
        command += ["--min-worker-port=0", "--max-worker-port=0", "--include-log-monitor=false"]
        command += [f"--resources={json.dumps({name: 100, **(resources or {})})}"]
        done = subprocess.run(
            command,
            env={**_clean_environment(), **self._env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=2 * TIMEOUT_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        node = Node(name, {one: one.name() for one in self.processes() if one not in before})
        self.nodes.append(node)
        return node

    def processes(self) -> list[psutil.Process]:
        """All processes of the cluster that run, also those of actors."""
        found: dict[psutil.Process, None] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.folder) in " ".join(process.cmdline()):
                    found[process] = None
                    found |= dict.fromkeys(process.children(recursive=True))
        return list(found)

    def actors(self) -> list[psutil.Process]:
        """The processes in which models run."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if process.cmdline()[:1] and "RemoteModel" in process.cmdline()[0]:
                    found.append(process)
        return found

    def kill(self, processes: Sequence[psutil.Process]) -> None:
        """Kill processes, and wait until they are gone."""
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        wait_until(lambda: not still_running(processes), "killed processes are gone")

    def kill_all(self) -> None:
        """Kill whatever there is of it."""
        while left := self.processes():
            self.kill(left)

    def restart(self, name: str, *, cpus: int = 1) -> Node:
        """Kill what is left, and start a head at the same address."""
        self.kill_all()
        self.nodes.clear()
        return self.start(name, cpus=cpus)

    def stop(self) -> None:
        """Kill all of it, and remove its folder."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while (left := self.processes()) and time.monotonic() < deadline_s:
            self.kill(left)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not left, left


def installed_as(version: str, folder: Path) -> str:
    """A `PYTHONPATH` on which this program is installed in a version."""
    metadata = folder / f"streamer_server-{version}.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: streamer-server\nVersion: {version}\n")
    return f"{folder}{os.pathsep}{ROOT}"


def _clean_environment() -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "STREAMER_"))}
    return {**inherited, "PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def ray_cluster(env: Mapping[str, str] | None = None) -> Iterator[RayCluster]:
    """A cluster without nodes yet, until the context ends."""
    cluster = RayCluster(env)
    try:
        yield cluster
    finally:
        cluster.stop()
