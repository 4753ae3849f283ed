"""A server under abuse, and what can be measured of it from outside."""

import contextlib
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

from streamer.memory import WAIT_S
from tools.harness.process import LOG_DEFECTS, Server, wait_until

MEGABYTE = 1 << 20
LOADED = re.compile(r"worker \S+ \(process (\d+)\) is loaded")
"""What the server's log says of each worker that is ready."""
LOG = Path("build/results/soak.log")
"""The log of the server, after a soak that failed."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the server process holds."""

    memory_mb: float
    descriptors: int
    tasks: int


class ServerUnderTest:
    """A server and its numbers."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = server.port
        self._process = psutil.Process(server.process.pid)

    def footprint(self) -> Footprint:
        """What it holds without connections."""
        wait_until(lambda: self._connections() == 0, "all sockets are closed")
        wait_until(lambda: self._metric("sessions_open") == 0, "all sessions have ended")
        wait_until(self._complete, "all workers are there")
        return Footprint(
            memory_mb=self._settled_mb(),
            tasks=round(self._metric("tasks_alive")),
            descriptors=self._at_rest(),
        )

    def _settled_mb(self) -> float:
        """Resident memory in MiB, once the memory of ended sessions was given back."""
        before, now = float("inf"), self.memory_mb()
        while now < before - 1:
            time.sleep(2 * WAIT_S)
            before, now = now, self.memory_mb()
        return now

    def memory_mb(self) -> float:
        """Resident memory of the server process, in MiB."""
        return self._process.memory_info().rss / MEGABYTE

    def cpu_s(self) -> float:
        """Processor seconds of the server process itself."""
        times = self._process.cpu_times()
        return times.user + times.system

    def errors(self) -> Counter[str]:
        """Errors that clients have received so far, by code."""
        return Counter(
            {
                labels["code"]: round(number)
                for labels, number in self._samples("errors_total")
                if number
            }
        )

    def restarts(self) -> Counter[str]:
        """Workers replaced so far, by cause."""
        return Counter(
            {
                labels["cause"]: round(number)
                for labels, number in self._samples("worker_restarts_total")
                if number
            }
        )

    def series(self) -> int:
        """Number of series in a scrape."""
        text = self.server.get("/metrics").text
        return sum(len(family.samples) for family in text_string_to_metric_families(text))

    def a_worker(self, chance: random.Random, *, loaded: bool = False) -> psutil.Process | None:
        """A random worker; with `loaded`, one that has loaded its model. None = there is none."""
        workers = self.server.workers()
        if loaded:
            ready = set(map(int, LOADED.findall(self.server.log())))
            workers = [worker for worker in workers if worker.pid in ready]
        return chance.choice(workers) if workers else None

    def defects(self) -> list[str]:
        """Lines of the log that show a defect."""
        return [line for line in self.server.log().splitlines() if LOG_DEFECTS.search(line)]

    def _complete(self) -> bool:
        return self._metric("workers_alive") == self._metric("workers_wanted")

    def _connections(self) -> int:
        sockets = self._process.net_connections("tcp")
        return sum(each.status != psutil.CONN_LISTEN for each in sockets)

    def _at_rest(self) -> int:
        wait_until(lambda: self._connections() == 0, "all sockets are closed")
        return self._process.num_fds()

    def _metric(self, name: str) -> float:
        return sum(number for _, number in self._samples(name))

    def _samples(self, name: str) -> list[tuple[Mapping[str, str], float]]:
        text = self.server.get("/metrics").text
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"streamer_{name}"
        ]


@contextlib.contextmanager
def running(config: Mapping[str, object]) -> Generator[ServerUnderTest]:
    """Start a server, wait until it is warm, and end it."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), config)
        try:
            server.wait_ready()
            yield ServerUnderTest(server)
        except BaseException:
            LOG.parent.mkdir(parents=True, exist_ok=True)
            LOG.write_text(server.log())
            sys.stderr.write(f"the server's log is in {LOG}\n")
            raise
        finally:
            server.stop()
