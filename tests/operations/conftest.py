"""A real Prometheus with this repository's configuration, and servers that give it something."""

import asyncio
import contextlib
import itertools
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.end_to_end.http.posting import analyzed
from tests.end_to_end.streams.containers import AUTO, speech
from tests.needed import program
from tools.harness.monitoring import DASHBOARDS, Prometheus, alerts, panels, prometheus
from tools.harness.process import Server, wait_until
from tools.harness.sounds import beckett, two_cities
from tools.harness.streams import Client, client

FASTER = 15
"""A scrape every second."""

LONGEST_S = 75.0
"""For everything to be seen once; half of it is usual."""

SLOW_AND_DEADLY = {
    "model": {
        "type": "standin",
        "options": {
            "constant_factor": 1.5,
            "jitter": 0.2,
            "failure_rate": 0.15,
            "crash_rate": 0.15,
            "warmup_penalty": 2.0,
        },
    },
    "inference": {"workers": 2, "max_pending_segments": 2},
    "limits": {"max_sessions": 4, "max_queue_seconds": 0},
}
STILL_LOADING = {
    "model": {"type": "standin", "options": {"warmup_penalty": 100.0}},
    "inference": {"workers": 1},
}
READY = "Ready"
"""The panel that shows 0 as long as one server is not ready."""

NEVER = frozenset({"InternalErrors", "TasksFail"})
"""Alerts that nothing from outside brings about: their measures are 0 all the time."""


@dataclass(frozen=True)
class Monitored:
    """What was watched, by whom, and when."""

    source: Prometheus
    healthy: Server
    troubled: Server
    loading: Server
    start_s: float
    end_s: float

    def values(self, query: str) -> dict[tuple[tuple[str, str], ...], list[float]]:
        """The values of each series, known by its labels, over the whole time."""
        found = self.source.query_range(query, self.start_s, self.end_s, 1.0)
        return {
            tuple(sorted(series["metric"].items())): [float(v) for _, v in series["values"]]
            for series in found
        }


@pytest.fixture(scope="session")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Prometheus after it has watched a healthy server, a troubled one, and one that loads."""
    program("prometheus", "prometheus")
    with contextlib.ExitStack() as stack:

        def serve(name: str, config: dict[str, object] | None) -> Server:
            server = Server(tmp_path_factory.mktemp(name), config)
            stack.callback(server.stop)
            return server

        healthy = serve("healthy", None)
        troubled = serve("troubled", SLOW_AND_DEADLY)
        loading = serve("loading", STILL_LOADING)
        nobody = "127.0.0.1:1"
        targets = [nobody, *(f"127.0.0.1:{s.port}" for s in (healthy, troubled, loading))]
        jobs = {"streamer": targets, "otel-collector": [nobody]}
        folder = tmp_path_factory.mktemp("prometheus")
        source = stack.enter_context(prometheus(folder, jobs, FASTER))
        healthy.wait_ready()
        troubled.wait_ready()
        wait_until(lambda: len(source.query("streamer_ready")) == 3, "all servers are scraped")
        # A query at `start_s` returns the scrape before it, which may be from before `ready`.
        wait_until(lambda: len(source.query("streamer_ready == 1")) == 2, "two are ready")
        start_s = time.time()
        asyncio.run(_load(source, healthy, troubled, start_s))
        yield Monitored(source, healthy, troubled, loading, start_s, time.time())


async def _load(source: Prometheus, healthy: Server, troubled: Server, start_s: float) -> None:
    """Use the servers in every way until everything that is watched for has been seen."""
    unseen = {
        target.resolved(source.rate_interval_s)
        for dashboard in DASHBOARDS.glob("*.json")
        for panel in panels(dashboard)
        for target in panel.targets
        if panel.title != READY
    }
    unseen |= {alert.query for alert in alerts(source.rules) if alert.name not in NEVER}

    def look() -> None:
        """Wait until all has been seen, or for long enough."""
        while unseen and time.time() < start_s + LONGEST_S:
            time.sleep(1.0)
            for query in tuple(unseen):
                found = source.query_range(query, start_s, time.time(), 1.0)
                # A comparison that holds returns its left side, which may well be 0.
                if any(float(v) > 0 or " < 1" in query for s in found for _, v in s["values"]):
                    unseen.discard(query)

    async with asyncio.TaskGroup() as tasks:
        users = [
            tasks.create_task(_again(talk, healthy)),
            tasks.create_task(_again(talk_fast, healthy)),
            tasks.create_task(_again(compress, healthy)),
            tasks.create_task(_again(stutter, troubled)),
            tasks.create_task(_again(freeze, troubled)),
            *(tasks.create_task(_again(flood, troubled)) for _ in range(3)),
        ]
        await asyncio.to_thread(look)
        for user in users:
            user.cancel()
    troubled.send_signal(signal.SIGCONT)


async def _again(use: Callable[[Server], Awaitable[None]], server: Server) -> None:
    while True:
        # The troubled server refuses and cuts off.
        with contextlib.suppress(InvalidStatus, ConnectionClosed):
            await use(server)
        await asyncio.sleep(0.5)


async def talk(server: Server) -> None:
    """Speak as a person does, with interims."""
    audio = two_cities()
    async with client(server) as socket:
        await socket.start(audio, interim_results=True)
        for start_s in itertools.count(step=0.1):
            if start_s > 20:
                break
            await socket.send(audio.part(start_s, start_s + 0.1))
            await asyncio.sleep(0.05)
        await _end(socket)


async def talk_fast(server: Server) -> None:
    """Send a recording to `/api/v1/simple`."""
    async with client(server, "simple") as socket:
        await socket.start(beckett())
        await socket.send(beckett().data)
        await _end(socket)


async def compress(server: Server) -> None:
    """Send a recording, and a live stream in a container, whose decoder dies."""
    data = speech("WebM/Opus")
    await asyncio.to_thread(analyzed, server, data)
    async with client(server) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send(data[: len(data) // 2], (2_000,))
        await socket.events_until("segment")
        await asyncio.sleep(2.0)  # to be scraped
        for decoder in server.decoders():
            decoder.kill()
        await socket.send(data[len(data) // 2 :], (2_000,))
        await _end(socket)


async def flood(server: Server) -> None:
    """Send more than the server can take."""
    async with client(server) as socket:
        await socket.start(beckett(), interim_results=True)
        await socket.send(3 * beckett().data)
        await _end(socket)


async def stutter(server: Server) -> None:
    """Be one too many, be wrong, vanish, be too large."""
    async with client(server) as socket:
        with contextlib.suppress(InvalidStatus):
            async with client(server):
                pass
        await socket.send_request("dance")
        await socket.start(beckett())
        await socket.events_until("started")
        socket.abort()
    async with client(server) as socket:
        await socket.start(beckett())
        await socket.send(bytes(300_000), [300_000])
        await socket.events_until_close()


async def freeze(server: Server) -> None:
    """Let the whole server stand still for a moment, as on a machine with too much to do."""
    server.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.0)
    server.send_signal(signal.SIGCONT)
    await asyncio.sleep(3.0)


async def _end(socket: Client) -> None:
    await socket.send_request("stop", disconnect=True)
    await socket.events_until_close()
