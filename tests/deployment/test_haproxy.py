"""Several servers behind HAProxy, with the configuration in `deploy/`."""

import asyncio
import contextlib
import http.client
import json
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from streamer.config.schema import Config
from tests.deployment.files import DEPLOY
from tests.deployment.haproxy import haproxy
from tests.deployment.nginx import Proxy
from tests.end_to_end.certificates import trusting
from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.rpc_call import STREAM, call_on, with_port
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import Audio, beckett, silence
from tools.harness.streams import Client, check_stream, events_of

CONFIG = (DEPLOY / "haproxy.cfg").read_text()
BEHIND = {
    "model": {"type": "standin"},
    "server": {"forwarded_allow_ips": ["127.0.0.1"]},
    "inference": {"workers": 1},
    "limits": {"drain_seconds": 2},
}
GOOGLE = "/google.cloud.speech.v1.Speech/StreamingRecognize"
FEW = {"gt 64": "gt 2"}
"""Places for one address at the balancer, so few that a test can take them."""


def timeout_s(name: str) -> float:
    """One of the timeouts of the configuration, in seconds."""
    (found,) = re.findall(rf"^ *timeout {name} (\d+)([smh])$", CONFIG, re.MULTILINE)
    return float(found[0]) * {"s": 1, "m": 60, "h": 3600}[found[1]]


@pytest.fixture
def servers(launch: Launch) -> list[Server]:
    return [launch(with_port(BEHIND), folder=name) for name in ("one", "two")]


@pytest.fixture
def balanced(servers: list[Server], tmp_path: Path) -> Iterator[tuple[list[Server], Proxy]]:
    with haproxy(servers, tmp_path) as proxy:
        yield servers, proxy


@contextlib.asynccontextmanager
async def opened(proxy: Proxy, **more: Any) -> AsyncIterator[Client]:
    async with connect(
        f"wss://localhost:{proxy.port}/api/v1/segmented",
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
) -> tuple[http.client.HTTPResponse, str]:
    """Ask over TLS."""
    trust = trusting(proxy.certificate)
    connection = http.client.HTTPSConnection(
        "localhost", proxy.port, timeout=TIMEOUT_S, context=trust
    )
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response, response.read().decode()


def open_sessions(server: Server) -> int:
    """Sockets and calls that a server has now."""
    found = re.findall(
        r"^streamer_sessions_open{.*} (\S+)$", server.get("/metrics").text, re.MULTILINE
    )
    return int(sum(map(float, found)))


async def test_a_stream(balanced: tuple[list[Server], Proxy]) -> None:
    _, proxy = balanced
    async with opened(proxy) as socket:
        await socket.start(beckett())
        await socket.send(beckett().data)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert socket.close_code == 1000
    check_stream(events)
    assert events_of(events, "segment")


def test_the_page_and_recordings(balanced: tuple[list[Server], Proxy]) -> None:
    _, proxy = balanced
    for file in ("/", "/web/style.css", "/api/v1/info", "/api/v1/ready"):
        assert ask(proxy, "GET", file)[0].status == 200, file
    for hidden in ("/metrics", "/%6detrics", "/metrics?x=1"):
        response, _ = ask(proxy, "GET", hidden)
        assert response.status == 404, hidden
    minutes = silence(120).data
    response, text = ask(proxy, "POST", "/api/v1/analyze?sample_rate=16000", minutes)
    assert response.status == 200
    assert json.loads(text)["duration_seconds"] == 120


async def test_sockets_and_calls_are_shared_out(balanced: tuple[list[Server], Proxy]) -> None:
    servers, proxy = balanced
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(4):
            socket = await stack.enter_async_context(opened(proxy))
            await socket.start()
            await socket.events_until("started")
        assert await asyncio.to_thread(lambda: [*map(open_sessions, servers)]) == [2, 2]
        trust = grpc.ssl_channel_credentials(proxy.certificate.read_bytes())
        channel = await stack.enter_async_context(
            grpc.aio.secure_channel(f"localhost:{proxy.port}", trust)
        )
        # All calls of a channel share one connection.
        calls = [call_on(channel) for _ in range(2)]
        begun = []
        for call in calls:
            await call.start(beckett())
            begun.append(await call.events_until("started"))
        assert await asyncio.to_thread(lambda: [*map(open_sessions, servers)]) == [3, 3]
        for call, events in zip(calls, begun, strict=True):
            await call.send(beckett().data, [3_200])
            events += await call.finish()
            check_stream(events)
            assert events_of(events, "segment")
            assert await call.status() == ("OK", "")


async def test_a_silent_socket_stays_open_by_its_pings(launch: Launch, tmp_path: Path) -> None:
    server = Config().server
    pings_s = server.ping_interval_seconds + server.ping_timeout_seconds
    assert timeout_s("tunnel") > pings_s
    often = {"forwarded_allow_ips": ["127.0.0.1"], "ping_interval_seconds": 0.2}
    one = launch(with_port({**BEHIND, "server": often}))
    with haproxy([one], tmp_path, {"timeout tunnel 5m": "timeout tunnel 1s"}) as proxy:
        async with opened(proxy, ping_interval=None) as socket:
            await socket.start()
            await socket.events_until("started")
            await asyncio.sleep(2.5)
            await socket.send_request("stop", disconnect=True)
            events = await socket.events_until_close()
    assert events[-1]["type"] == "stopped"


async def test_one_address_has_so_many_places_over_all_servers(
    servers: list[Server], tmp_path: Path
) -> None:
    with haproxy(servers, tmp_path, FEW) as proxy:
        async with opened(proxy) as first, opened(proxy) as second:
            for socket in (first, second):
                await socket.start()
                await socket.events_until("started")
            for forged in ({}, {"X-Forwarded-For": "198.51.100.7"}):
                with pytest.raises(InvalidStatus) as caught:
                    async with opened(proxy, additional_headers=forged):
                        pass
                response = caught.value.response
                assert response.status_code == 503
                assert int(response.headers["Retry-After"]) > 0
                assert json.loads(bytes(response.body or b""))["error"]["code"] == "overloaded"
            await calls_are_refused(proxy)
            # What costs little is not counted, and another address has places of its own.
            assert (await asyncio.to_thread(ask, proxy, "GET", "/"))[0].status == 200
            async with opened(proxy, local_addr=("127.0.0.2", 0)) as other:
                await other.start()
                assert (await other.next_event())["type"] == "started"
        async with opened(proxy) as again:  # its places are free again
            await again.start()
            assert (await again.next_event())["type"] == "started"


async def test_one_address_may_not_begin_streams_too_often(
    servers: list[Server], tmp_path: Path
) -> None:
    with haproxy(servers, tmp_path, {"gt 300": "gt 3"}) as proxy:
        for _ in range(3):
            async with opened(proxy) as socket:
                await socket.start()
        with pytest.raises(InvalidStatus) as caught:
            async with opened(proxy):
                pass
        assert caught.value.response.status_code == 503
        await calls_are_refused(proxy)


async def calls_are_refused(proxy: Proxy) -> None:
    """By the balancer, and never so that Google's clients call again, which would lose audio.

    HAProxy 2.6 may end a call, whose client still sends, before its answer has left: CANCELLED or
    INTERNAL, by the moment.
    """
    trust = grpc.ssl_channel_credentials(proxy.certificate.read_bytes())
    for method, status in ((STREAM, "UNAVAILABLE"), (GOOGLE, "UNKNOWN")):
        async with grpc.aio.secure_channel(f"localhost:{proxy.port}", trust) as channel:
            call = call_on(channel, method)
            with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
                await call.start(beckett())  # it may have been refused already
            assert await call.events_until_close() == []
            assert (await call.status())[0] in (status, "CANCELLED", "INTERNAL")


async def test_a_server_that_drains_gets_nothing_new_and_loses_nothing(
    balanced: tuple[list[Server], Proxy],
) -> None:
    servers, proxy = balanced
    async with opened(proxy) as one, opened(proxy) as other:
        for socket in (one, other):
            await socket.start(beckett())
            await socket.send(beckett().part(0, 1.0))
            await socket.events_until("active")
        servers[0].send_signal(signal.SIGTERM)
        ended = await asyncio.wait(
            [asyncio.ensure_future(s.events_until("going_away")) for s in (one, other)],  # noqa: TID251
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert len(ended[0]) == 1
        # At once, before HAProxy has asked for its health again, and later.
        for _ in range(6):
            async with opened(proxy) as new:
                await new.start()
                assert (await new.next_event())["type"] == "started"
            await asyncio.sleep(0.3)
        for waiting in ended[1]:
            waiting.cancel()
    assert await asyncio.to_thread(servers[0].process.wait, TIMEOUT_S) == 0


async def test_no_server_is_named_as_the_reason(balanced: tuple[list[Server], Proxy]) -> None:
    servers, proxy = balanced
    for server in servers:
        await asyncio.to_thread(server.end_by_signal, signal.SIGTERM)

    def refused() -> bool:
        response, text = ask(proxy, "GET", "/api/v1/info")
        return response.status == 503 and "no server is ready" in text

    await asyncio.to_thread(wait_until, refused, "HAProxy has noticed")
    await calls_are_refused(proxy)


SECONDS = 6


async def test_clients_that_reconnect_lose_nothing_when_a_server_ends(
    balanced: tuple[list[Server], Proxy],
) -> None:
    servers, proxy = balanced
    address = f"wss://localhost:{proxy.port}/api/v1/simple"
    audio = silence(SECONDS)
    commands = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streamer_client", "-i", "-", "-a", address, "--reconnect"),
            *("--output", "jsonl"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"SSL_CERT_FILE": str(proxy.certificate), "PATH": ""},
        )
        for _ in range(4)
    ]
    try:
        said = [await first_result(command, audio) for command in commands]
        assert await asyncio.to_thread(lambda: [*map(open_sessions, servers)]) == [2, 2]
        servers[0].send_signal(signal.SIGTERM)
        for second in range(2, SECONDS):
            for command in commands:
                assert command.stdin
                command.stdin.write(audio.part(second, second + 1))
            await asyncio.sleep(1.0)
        assert await asyncio.to_thread(servers[0].process.wait, TIMEOUT_S) == 0
        for command, begun in zip(commands, said, strict=True):
            async with asyncio.timeout(TIMEOUT_S):
                out, err = await command.communicate(b"")
            assert command.returncode == 0, err.decode()
            events = [*begun, *map(json.loads, out.decode().splitlines())]
            results = events_of(events, "segment")
            assert [event for event in events if event["type"] == "lost"] == []
            assert sum(event["count"] for event in results) == audio.frames
            assert results[0]["start_time"] == 0
            for earlier, later in pairwise(results):
                assert later["start_time"] == earlier["end_time"]
    finally:
        for command in commands:
            with contextlib.suppress(ProcessLookupError):
                command.kill()
            await command.wait()


async def first_result(command: asyncio.subprocess.Process, audio: Audio) -> list[Any]:
    """Send two seconds to a client; returns what it prints until its first result."""
    assert command.stdin
    assert command.stdout
    command.stdin.write(audio.part(0, 2))
    events: list[Any] = []
    async with asyncio.timeout(TIMEOUT_S):
        while not events_of(events, "segment"):
            events.append(json.loads(await command.stdout.readline()))
    return events


def test_the_health_checks_are_ones_that_the_servers_understand(
    balanced: tuple[list[Server], Proxy],
) -> None:
    servers, proxy = balanced
    time.sleep(2.5)  # for two of them
    assert [server.log() for server in servers if "Invalid HTTP request" in server.log()] == []
    assert ask(proxy, "GET", "/api/v1/ready")[0].status == 200
