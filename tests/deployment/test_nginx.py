"""Behind nginx, with the configuration in `deploy/`."""

import asyncio
import contextlib
import http.client
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.deployment.nginx import Proxy, nginx
from tests.end_to_end.certificates import trusting
from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import beckett, silence
from tools.harness.streams import Client, check_stream, events_of

BEHIND = {"model": {"type": "standin"}, "server": {"forwarded_allow_ips": ["127.0.0.1"]}}
PATHS = ["", "/speech"]


@pytest.fixture
def served(launch: Launch, tmp_path: Path) -> Iterator[tuple[Server, Proxy]]:
    server = launch({**BEHIND, "limits": {"max_sessions_per_ip": 1, "drain_seconds": 2}})
    with nginx(server.port, tmp_path) as proxy:
        yield server, proxy


@contextlib.asynccontextmanager
async def opened(proxy: Proxy, path: str = "", **more: Any) -> AsyncIterator[Client]:
    async with connect(
        f"wss://localhost:{proxy.port}{path}/api/v1/segmented",
        ssl=trusting(proxy.certificate),
        host="127.0.0.1",
        compression=None,
        proxy=None,
        open_timeout=TIMEOUT_S,
        **more,
    ) as connection:
        yield Client(connection)


def ask(
    proxy: Proxy, method: str, path: str, body: bytes | None = None, **headers: str
) -> http.client.HTTPResponse:
    """Ask over TLS; the answer is read."""
    trust = trusting(proxy.certificate)
    connection = http.client.HTTPSConnection(
        "localhost", proxy.port, timeout=TIMEOUT_S, context=trust
    )
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        return response


@pytest.mark.parametrize("path", PATHS)
async def test_a_stream(served: tuple[Server, Proxy], path: str) -> None:
    _, proxy = served
    async with opened(proxy, path) as socket:
        await socket.start(beckett())
        await socket.send(beckett().data)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert socket.close_code == 1000
    check_stream(events)
    assert events[-1]["audio_seconds"] == beckett().seconds
    assert events_of(events, "segment")


@pytest.mark.parametrize("path", PATHS)
def test_the_page_and_requests(served: tuple[Server, Proxy], path: str) -> None:
    _, proxy = served
    for file in ("/", "/web/style.css", "/api/v1/info", "/api/v1/ready"):
        assert ask(proxy, "GET", path + file).status == 200, file
    assert ask(proxy, "GET", f"{path}/metrics").status == 404
    minutes = silence(120).data
    assert len(minutes) > 2**20  # more than nginx takes by default
    analyze = f"{path}/api/v1/analyze?sample_rate=16000"
    assert ask(proxy, "POST", analyze, minutes).status == 200


async def test_a_server_that_is_told_its_path(launch: Launch, tmp_path: Path) -> None:
    behind = {"forwarded_allow_ips": ["127.0.0.1"], "root_path": "/speech"}
    server = launch({"model": {"type": "standin"}, "server": behind})
    with nginx(server.port, tmp_path) as proxy:
        for file in ("/", "/web/style.css", "/api/v1/ready", "/openapi.json"):
            assert ask(proxy, "GET", f"/speech{file}").status == 200, file
        async with opened(proxy, "/speech") as socket:
            await socket.start()
            assert (await socket.next_event())["type"] == "started"


def test_a_path_without_its_slash_leads_to_the_page(served: tuple[Server, Proxy]) -> None:
    _, proxy = served
    response = ask(proxy, "GET", "/speech")
    assert response.status == 308
    assert response.headers["Location"].endswith("/speech/")


async def test_limits_count_the_clients_own_address(served: tuple[Server, Proxy]) -> None:
    _, proxy = served
    async with opened(proxy) as first:
        await first.start()
        for forged in ({}, {"X-Forwarded-For": "198.51.100.7"}):
            with pytest.raises(InvalidStatus) as caught:
                async with opened(proxy, additional_headers=forged):
                    pass
            response = caught.value.response
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
            assert response.body is not None
            message = json.loads(bytes(response.body))["error"]["message"]
            assert message.endswith("limits.max_sessions_per_ip is 1")
        async with opened(proxy, local_addr=("127.0.0.2", 0)) as other:
            await other.start()
            assert (await other.next_event())["type"] == "started"


async def test_a_proxy_that_is_not_known_is_not_believed(launch: Launch, tmp_path: Path) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"max_sessions_per_ip": 1}})
    with nginx(server.port, tmp_path) as proxy:
        async with opened(proxy, local_addr=("127.0.0.2", 0)):
            with pytest.raises(InvalidStatus):
                async with opened(proxy, local_addr=("127.0.0.3", 0)):
                    pass


async def test_only_pages_from_there_may_connect(served: tuple[Server, Proxy]) -> None:
    _, proxy = served
    async with opened(proxy, origin=f"https://localhost:{proxy.port}") as socket:
        await socket.start()
        assert (await socket.next_event())["type"] == "started"
    with pytest.raises(InvalidStatus) as caught:
        async with opened(proxy, origin="https://example.com"):
            pass
    assert caught.value.response.status_code == 403


async def test_draining_reaches_clients(served: tuple[Server, Proxy]) -> None:
    server, proxy = served
    async with opened(proxy) as socket:
        await socket.start(beckett())
        await socket.send(beckett().part(0, 1.0))
        await socket.events_until("active")
        server.send_signal(signal.SIGTERM)
        events = await socket.events_until_close()
    assert [event["type"] for event in events] == ["going_away", "inactive", "segment", "stopped"]
    assert socket.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0


async def test_the_client_comes_back_through_it(launch: Launch, tmp_path: Path) -> None:
    """While the server is away, nginx answers 502."""
    server = launch(BEHIND)
    port = server.port
    with nginx(port, tmp_path) as proxy:
        address = f"wss://localhost:{proxy.port}/speech/api/v1/simple"
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streamer_client", "-i", "-", "-a", address, "--reconnect"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"SSL_CERT_FILE": str(proxy.certificate), "PATH": ""},
        )
        assert command.stdin
        assert command.stdout
        assert command.stderr
        command.stdin.write(silence(1).data)
        async with asyncio.timeout(TIMEOUT_S):
            assert b"count" in await command.stdout.readline()
            server.send_signal(signal.SIGKILL)
            said = b""
            while b"502" not in said:
                said = await command.stderr.readline()
            await asyncio.to_thread(server.process.wait, TIMEOUT_S)
            await asyncio.to_thread(launch, BEHIND, "--port", str(port))
            out, err = await command.communicate(silence(1).data)
    assert command.returncode == 0
    assert "[00:01.0 → 00:02.0] count=16000" in out.decode()
    assert b"connected again; nothing is lost" in err
