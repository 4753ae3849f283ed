"""As many servers as there are, behind the HAProxy of `docker-compose.yml`."""

import asyncio
import contextlib
import http.client
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.deployment.files import DEPLOY
from tests.deployment.names import name_server
from tests.end_to_end.conftest import Launch
from tests.needed import program
from tools.harness.balancer import running_haproxy
from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, wait_until
from tools.harness.streams import client

CONFIG = {
    "model": {"type": "standin"},
    "server": {"forwarded_allow_ips": ["*"]},
    "inference": {"workers": 1},
    "limits": {"drain_seconds": 1},
}
FIRST, SECOND = "127.0.0.2", "127.0.0.3"


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def sessions_at(address: str, port: int) -> int:
    """Sockets that the server at an address has."""
    connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    found = re.findall(r"^streamer_sessions_open{.*} (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, found)))


async def test_servers_come_and_go(launch: Launch, tmp_path: Path) -> None:
    program("haproxy", "haproxy")
    port, of_servers = free_port(), free_port()
    with name_server([]) as names:
        replaced = {
            "127.0.0.11:53": f"127.0.0.1:{names.port}",
            "bind :8080": f"bind 127.0.0.1:{port}",
            "server:8080": f"server:{of_servers}",
        }
        with running_haproxy(DEPLOY / "haproxy-compose.cfg", replaced, port, tmp_path):
            # HAProxy starts before there is a server, as in `docker compose up`.
            assert await asyncio.to_thread(status, port, "/") == 503
            servers = [
                await asyncio.to_thread(
                    partial(launch, ready=False, folder=at),
                    *(CONFIG, "--host", at, "--port", str(of_servers)),
                )
                for at in (FIRST, SECOND)
            ]
            names.addresses.append(FIRST)
            await until(lambda: status(port, "/api/v1/ready") == 200)
            assert await asyncio.to_thread(status, port, "/metrics") == 404
            names.addresses.append(SECOND)

            # Sockets are shared out as soon as the second one is known.
            sessions: list[int] = []
            async with asyncio.timeout(TIMEOUT_S):
                while sessions != [1, 1]:
                    async with client(port, "simple") as one, client(port, "simple") as other:
                        for socket in (one, other):
                            await socket.start()
                            await socket.events_until("started")
                        sessions = [
                            await asyncio.to_thread(sessions_at, at, of_servers)
                            for at in (FIRST, SECOND)
                        ]

            servers[0].send_signal(signal.SIGTERM)
            for _ in range(3):
                async with client(port, "simple") as socket:
                    await socket.start()
                    assert (await socket.next_event())["type"] == "started"
            assert await asyncio.to_thread(servers[0].process.wait, TIMEOUT_S) == 0


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, "HAProxy knows a server")
