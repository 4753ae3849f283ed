"""What a client may send, how large, how often and how late; and that nobody else notices."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.end_to_end.conftest import Launch
from tools.harness.process import Server, wait_until
from tools.harness.raw import (
    BINARY,
    CONT,
    PING,
    PONG,
    START,
    TEXT,
    close_code,
    frame,
    open_connection,
    open_websocket,
    parse_frames,
    read_to_end,
    read_until_close,
    reset_on_close,
    upgrade_request,
)
from tools.harness.sounds import beckett, silence
from tools.harness.streams import check_stream, client, events_of, stream_audio

MEGABYTE = 1 << 20
LIMIT = 262_144


def events(received: bytes) -> list[dict[str, Any]]:
    return [json.loads(payload) for opcode, payload in parse_frames(received) if opcode == TEXT]


# Too large


FRAGMENT = frame(BINARY, bytes(LIMIT), flags=0)
TOO_LARGE: dict[str, tuple[bytes, str]] = {
    "binary": (frame(BINARY, bytes(LIMIT + 1)), f"{LIMIT + 1} bytes"),
    "text": (frame(TEXT, b" " * 65_537), "65537 bytes"),
    "far too large": (frame(BINARY, bytes(20 * LIMIT)), f"{20 * LIMIT} bytes"),
    "announced": (frame(BINARY, bytes(2 * LIMIT))[:1_000], f"{2 * LIMIT} bytes"),
    "in fragments": (FRAGMENT + frame(CONT, b"more"), f"{LIMIT + 4} bytes"),
    "in too many": (
        frame(BINARY, b"", flags=0) + frame(CONT, b"x", flags=0) * 1_024,
        "limits.max_fragments (1024)",
    ),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
@pytest.mark.parametrize("in_stream", [True, False])
def test_a_message_that_is_too_large_costs_nothing_but_the_socket(
    standin: Server, kind: str, *, in_stream: bool
) -> None:
    message, why = TOO_LARGE[kind]
    before = psutil.Process(standin.process.pid).memory_info().rss
    with open_websocket(standin, "/api/v1/segmented") as raw:
        if in_stream:
            raw.sendall(frame(TEXT, START))
            speech = beckett().part(0, 1.0)
            raw.sendall(frame(BINARY, speech))
        # What comes after it in the same breath is not looked at.
        raw.sendall(message + frame(TEXT, b'{"request": "stop"}') + frame(BINARY, b"x" * 64))
        received = read_until_close(raw)
    assert close_code(received) == 1009
    told = events(received)
    (error,) = events_of(told, "error")
    assert error["code"] == "too_large"
    assert error["fatal"] is True
    assert why in error["message"]
    if in_stream:
        check_stream([event for event in told if event["type"] != "error"])
        assert len(events_of(told, "segment")) == 1
        assert told[-1]["audio_seconds"] == 1.0
    grown = psutil.Process(standin.process.pid).memory_info().rss - before
    assert grown < 16 * MEGABYTE


def test_as_many_fragments_as_there_may_be_are_a_message(standin: Server) -> None:
    with open_websocket(standin) as raw:
        raw.sendall(frame(TEXT, START))
        raw.sendall(frame(BINARY, b"", flags=0) + frame(CONT, b"xx", flags=0) * 1_022)
        raw.sendall(frame(CONT, b"xx") + frame(TEXT, b'{"request": "stop", "disconnect": true}'))
        received = read_until_close(raw)
    assert close_code(received) == 1000
    assert events(received)[-1]["audio_seconds"] == 1_023 / 16_000


# Too often


def test_pings_are_answered_at_the_rate_that_is_allowed(standin: Server) -> None:
    with open_websocket(standin) as raw:
        raw.settimeout(2)
        answered = b""
        with contextlib.suppress(TimeoutError):
            while True:
                raw.sendall(frame(PING, b"x") * 50)
                answered += raw.recv(65_536)
                if len(parse_frames(answered)) > 100:
                    break
    kinds = [opcode for opcode, _ in parse_frames(answered)]
    assert kinds.count(PONG) >= 50
    (warning,) = events(answered)
    assert warning["code"] == "lagging"
    assert "limits.max_control_per_second (50)" in warning["message"]


async def test_many_small_messages_are_not_lost_and_not_slowed_down_without_need(
    launch: Launch,
) -> None:
    limits = {"STREAMER_LIMITS__MAX_MESSAGES_PER_SECOND": "10"}
    server = launch({"model": {"type": "standin"}}, env=limits)
    heard = await stream_audio(server, silence(0.1), "simple", sizes=(2,))
    assert not events_of(heard, "warning")


@pytest.mark.parametrize(
    ("message", "flooders", "neighbours"),
    [
        (b"7 bytes", 1, 0),
        (b"7 bytes", 1, 2),
        (b"7 bytes", 2, 2),
    ],
)
async def test_pings_behind_small_messages_are_answered(
    standin: Server, message: str | bytes, flooders: int, neighbours: int
) -> None:
    """By clients that send as fast as they can, with a keepalive of their own (they close by 1011).

    Ten seconds of what the kernels keep, about 4 MB, were ten thousand messages of 300 thousand.
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + 14

    async def play() -> None:
        while loop.time() < end_s:
            assert len(events_of(await stream_audio(standin, beckett()), "segment")) == 6
            await asyncio.sleep(0.02)

    async def read(connection: ClientConnection) -> list[dict[str, Any]]:
        return [json.loads(message) async for message in connection]

    async def flood() -> None:
        async with (
            asyncio.TaskGroup() as own,
            connect(
                f"ws://127.0.0.1:{standin.port}/api/v1/simple",
                compression=None,
                ping_interval=0.5,
                ping_timeout=20,  # as by default; reliability.md says what that means
            ) as connection,
        ):
            reading = own.create_task(read(connection))
            await connection.send(START.decode())
            sent = 0
            while loop.time() < end_s:
                await connection.send(message)
                sent += 1
                if not sent % 64:
                    await asyncio.sleep(0)
            await connection.send('{"request": "stop", "disconnect": true}')
            stopped = (await reading)[-1]
        audio_bytes = sent * len(message) if isinstance(message, bytes) else 0
        assert stopped["audio_seconds"] == audio_bytes // 2 / 16_000

    async with asyncio.TaskGroup() as tasks:
        for _ in range(neighbours):
            tasks.create_task(play())
        for _ in range(flooders):
            tasks.create_task(flood())


FLOODS: dict[str, Callable[[], bytes]] = {
    "messages": lambda: frame(BINARY, b"x") * 2_000,
    "empty messages": lambda: frame(BINARY) * 2_000,
    "fragments": lambda: frame(CONT, b"x", flags=0) * 2_000,
    "pings": lambda: frame(PING) * 2_000,
    "commands": lambda: frame(TEXT, b'{"request": "flush"}') * 500,
    "bad commands": lambda: frame(TEXT, b"?") * 1_000,
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_costs_little_and_disturbs_nobody(launch: Launch, kind: str) -> None:
    """Eight clients send as fast as they can; how late others get their events, see `make soak`."""
    standin = launch({"model": {"type": "standin"}})
    await stream_audio(standin, beckett())
    process = psutil.Process(standin.process.pid)
    before = process.memory_info().rss
    flood = FLOODS[kind]()
    with contextlib.ExitStack() as stack:
        floods = [stack.enter_context(open_websocket(standin)) for _ in range(8)]
        for raw in floods:
            raw.sendall(frame(TEXT, START))
            if kind == "fragments":
                raw.sendall(frame(BINARY, b"x", flags=0))
            raw.setblocking(False)
        async with asyncio.TaskGroup() as tasks:
            pouring = tasks.create_task(_pour(floods, flood))
            for _ in range(3):
                assert len(events_of(await stream_audio(standin, beckett()), "segment")) == 6
            pouring.cancel()
        assert process.memory_info().rss - before < 16 * MEGABYTE
        for raw in floods:
            reset_on_close(raw)
    # All of them are noticed to be gone, though much of what they sent is never read.
    wait_until(lambda: len(process.net_connections("tcp")) == 1, "the sockets are closed")


async def _pour(into: list[socket.socket], flood: bytes) -> None:
    while True:
        for raw in into:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                raw.send(flood)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                raw.recv(65_536)
        await asyncio.sleep(0.005)


# Too late


def test_a_connection_that_says_nothing_is_closed(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"handshake_seconds": 0.5}})
    for begun in (b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow", upgrade_request()[:-2]):
        with open_connection(server) as raw:
            raw.sendall(begun)
            assert read_to_end(raw).startswith(b"HTTP/1.1 408")


def test_a_request_that_trickles_is_closed(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"handshake_seconds": 0.5}})
    with open_connection(server) as raw:
        # The first request of a connection is in time, the second one trickles.
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += raw.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200")
        received = b""
        raw.settimeout(0.1)
        with contextlib.suppress(ConnectionError):
            for byte in b"GET /health HTTP/1.1\r\nX: " + b"y" * 10_000:
                raw.sendall(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    received += raw.recv(4096)
                    break
        assert received.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("one_line", [True, False])
def test_a_header_that_does_not_end_is_refused(standin: Server, *, one_line: bool) -> None:
    process = psutil.Process(standin.process.pid)
    before = process.memory_info().rss
    line = b"x" * 1_000 if one_line else b"X: " + b"x" * 100 + b"\r\n"
    with open_connection(standin) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\n" + (b"X: " if one_line else b""))
        with pytest.raises(ConnectionError):
            pour(raw, line, 64 * MEGABYTE // len(line))
    assert process.memory_info().rss - before < 16 * MEGABYTE


def pour(into: socket.socket, data: bytes, times: int) -> None:
    for _ in range(times):
        into.sendall(data)


def test_an_upgrade_with_too_many_headers_is_refused(standin: Server) -> None:
    many = {f"X_{n}": "y" for n in range(200)}
    with open_connection(standin) as raw:
        raw.sendall(upgrade_request(**many))
        assert read_to_end(raw).startswith(b"HTTP/1.1 431")


async def test_a_socket_that_says_nothing_is_closed(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"start_seconds": 0.5}})
    async with client(server) as silent, client(server) as patient:
        await patient.send_request("keep_alive")
        (error,) = await silent.events_until_close()
        assert error["code"] == "idle_timeout"
        assert "limits.start_seconds (0.5)" in error["message"]
        assert silent.close_code == 1000
        await patient.start()
        assert (await patient.next_event())["type"] == "started"


@pytest.mark.parametrize("path", ["simple", "segmented"])
async def test_a_client_that_waits_for_a_result_is_not_idle(launch: Launch, path: str) -> None:
    """It has flushed, and the worker takes longer than the client may be silent."""
    config = {
        "model": {"type": "standin"},
        "inference": {"workers": 1, "timeout_seconds": 60, "early_finals": False},
        "limits": {"idle_seconds": 1},
    }
    server = launch(config)
    (worker,) = server.workers()
    async with client(server, path) as socket:
        await socket.start()
        await socket.next_event()
        worker.send_signal(signal.SIGSTOP)
        await socket.send((silence(2) if path == "simple" else beckett()).data)
        await socket.send_request("flush")
        await asyncio.sleep(2)
        worker.send_signal(signal.SIGCONT)
        events = await socket.events_until_close()
    kinds = [event["type"] for event in events if event["type"] not in ("active", "inactive")]
    assert kinds[0] == "segment"
    assert kinds[-2:] == ["error", "stopped"], "and then it is"
    assert next(e["code"] for e in events if e["type"] == "error") == "idle_timeout"
    assert socket.close_code == 1000


async def test_a_pipeline_that_stands_still(launch: Launch) -> None:
    """Who outruns it is told so, and told nothing else; who waits goes on afterwards."""
    inference = {"timeout_seconds": 60, "max_pending_segments": 2, "early_finals": False}
    server = launch(
        {
            "model": {"type": "standin"},
            "inference": inference,
            "limits": {"max_lag_seconds": 3},
            "server": {"ping_interval_seconds": 0.5, "ping_timeout_seconds": 0.5},
        }
    )
    workers = server.workers()
    async with client(server, "simple") as fast, client(server) as calm:
        for socket in (fast, calm):
            await socket.start()
            await socket.events_until("started")
        for worker in workers:
            os.kill(worker.pid, signal.SIGSTOP)
        await calm.send(beckett().part(0, 1.0))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await fast.send(silence(600).data)
        told = await fast.events_until_close()
        assert [(e["type"], e["code"]) for e in told] == [
            ("warning", "lagging"),
            ("error", "overloaded"),
        ]
        assert fast.close_code == 1013
        for worker in workers:
            os.kill(worker.pid, signal.SIGCONT)
        await calm.send(beckett().part(1.0, 10.0))
        await calm.send_request("stop", disconnect=True)
        events = await calm.events_until_close()
        assert len(events_of(events, "segment")) == 6
        assert calm.close_code == 1000


# The memory of a server that has been abused


def test_sockets_that_are_reset_leave_nothing_behind(launch: Launch) -> None:
    """`make soak` does this ten times as often."""
    standin = launch({"model": {"type": "standin"}})
    process = psutil.Process(standin.process.pid)

    def churn(times: int) -> None:
        for _ in range(times):
            with open_websocket(standin) as raw:
                raw.sendall(frame(TEXT, START) + frame(BINARY, silence(0.3).data))
                reset_on_close(raw)

    churn(50)
    wait_until(lambda: len(process.net_connections("tcp")) == 1, "earlier sockets are closed")
    descriptors, memory = process.num_fds(), process.memory_info().rss
    churn(300)
    wait_until(lambda: len(process.net_connections("tcp")) == 1, "all sockets are closed")
    wait_until(lambda: process.num_fds() <= descriptors, "all descriptors are closed")
    assert process.memory_info().rss - memory < 5 * MEGABYTE
