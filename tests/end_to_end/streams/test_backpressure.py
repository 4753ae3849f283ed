"""Clients that send faster than can be processed, and clients that do not read."""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
from pathlib import Path

import psutil
import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from streamer.config.limits import LimitsConfig
from streamer.websocket.connection import websocket_class
from tests.end_to_end.conftest import Launch
from tests.websocket.in_loop import serving
from tools.harness.process import Server, wait_until
from tools.harness.sounds import beckett, silence
from tools.harness.streams import Client, client, events_of, stream_audio

HOUR_BYTES = 3600 * 32_000
MEGABYTE = 1 << 20


async def flood(socket: Client, message: bytes, most: int) -> int:
    """Send as fast as the server takes it, until it takes no more for a while."""
    sent = 0
    while sent < most:
        try:
            async with asyncio.timeout(3):
                await socket.send(message)
        except TimeoutError:
            break
        sent += len(message)
    return sent


async def test_an_hour_at_once_is_slowed_down_and_not_hoarded(launch: Launch) -> None:
    """docs/inference.md: a session costs at most 17 MB a channel, and 2 MB."""
    model = {"type": "standin", "options": {"constant_factor": 1.5}}
    server = launch({"model": model, "inference": {"workers": 1}})
    process = psutil.Process(server.process.pid)
    await stream_audio(server, silence(2), "simple")
    before = process.memory_info().rss
    speech = beckett().data[: 16_000 * 2]
    async with client(server, "simple") as socket:
        await socket.start()
        sent = await flood(socket, speech * 4, HOUR_BYTES)
        assert sent < 24 * MEGABYTE, "most of it waits with the client, or in the kernel"
        assert process.memory_info().rss - before < 19 * MEGABYTE
        neighbour = await stream_audio(server, silence(1), "simple")
        assert len(events_of(neighbour, "segment")) == 1
        socket.abort()


async def test_a_client_that_does_not_read_is_cut_off_and_holds_nobody_up(
    launch: Launch, tmp_path: Path
) -> None:
    shutil.copy(Path(__file__).parent / "patience.py", tmp_path)
    server = launch(
        {
            "model": {"type": "patience:Verbose", "options": {"length": 200_000}},
            "simple": {"chunk_seconds": 0.05},
            "limits": {"send_timeout_seconds": 1},
        }
    )
    process = psutil.Process(server.process.pid)
    descriptors = process.num_fds()
    deaf = socket.create_connection(("127.0.0.1", server.port))
    with deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with connect(
            f"ws://127.0.0.1:{server.port}/api/v1/simple",
            sock=deaf,
            compression=None,
            max_queue=1,
            ping_interval=None,
            close_timeout=0,
        ) as connection:
            start = {"request": "start", "format": {"sample_rate": 16_000}}
            await connection.send(json.dumps(start))
            with contextlib.suppress(Exception):
                async with asyncio.timeout(20):
                    while "cut off: the client" not in server.log():
                        await connection.send(silence(1).data)
                        await asyncio.sleep(0.02)
            wait_until(lambda: "cut off: the client" in server.log(), "the server gives up on it")
            neighbour = await stream_audio(server, silence(0.5), "simple")
            assert len(events_of(neighbour, "segment")) == 10
    # Fewer, if the request that found the server ready was still open when they were counted.
    wait_until(lambda: process.num_fds() <= descriptors, "its descriptor is closed")


def upgraded(server: Server, path: str = "simple") -> socket.socket:
    """A WebSocket by hand, with room for next to nothing that comes back."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.connect(("127.0.0.1", server.port))
    deaf.sendall(
        f"GET /api/v1/{path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert deaf.recv(2048).startswith(b"HTTP/1.1 101")
    return deaf


def frame(opcode: int, payload: bytes) -> bytes:
    """A masked WebSocket frame; the mask is zero."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def unmasked(opcode: int, payload: bytes) -> bytes:
    """A server's WebSocket frame of at most 125 bytes."""
    return bytes([0x80 | opcode, len(payload)]) + payload


def read_until(source: socket.socket, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        data = source.recv(1 << 16)
        assert data, "the connection has ended"
        read += data
    return read


def pour(into: socket.socket, data: bytes, times: int) -> None:
    for _ in range(times):
        into.sendall(data)


START = frame(1, b'{"request": "start", "format": {"sample_rate": 16000}}')
PING, PONG, TEXT = 9, 10, 1


def test_pings_whose_answers_are_not_read_take_no_memory(launch: Launch) -> None:
    """The connection lasts; of what does not fit the socket, only the latest ping is answered."""
    limits = {"max_control_per_second": 0}
    server = launch({"model": {"type": "standin"}, "limits": limits})
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    with upgraded(server) as deaf:
        deaf.settimeout(20)
        pour(deaf, frame(PING, b"p" * 125) * 100, 4_000)
        deaf.sendall(frame(PING, b"latest"))
        pongs = read_until(deaf, unmasked(PONG, b"latest"))
    assert pongs.count(unmasked(PONG, b"p" * 125)) < 400_000
    assert process.memory_info().rss - before < 16 * MEGABYTE


def test_commands_are_bounded_like_audio(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 100}}
    inference = {"workers": 1, "max_pending_segments": 1, "timeout_seconds": 100}
    limits = {"drain_seconds": 1, "max_messages_per_second": 0}
    server = launch({"model": model, "inference": inference, "limits": limits})
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    with upgraded(server) as flooder:
        flooder.sendall(START)
        for _ in range(4):
            flooder.sendall(frame(2, bytes(32_000)))
        flooder.settimeout(2)
        with pytest.raises(TimeoutError):
            pour(flooder, frame(TEXT, b'{"request": "flush"}') * 1_000, 2_000)
        assert process.memory_info().rss - before < 16 * MEGABYTE
        # Nor does a session that is held back keep the server from ending.
        assert server.end_by_signal(signal.SIGTERM) == 0


def test_a_client_that_reads_nothing_and_is_owed_little_does_not_stay(launch: Launch) -> None:
    """What is unsent fits the buffers, so that no send ever waits."""
    limits = {"idle_seconds": 1, "drain_seconds": 1}
    server = launch({"model": {"type": "standin"}, "limits": limits})
    process = psutil.Process(server.process.pid)

    def connected() -> bool:
        sockets = process.net_connections("tcp")
        ports = {c.raddr.port for c in sockets if c.status != psutil.CONN_LISTEN}
        return deaf.getsockname()[1] in ports

    with upgraded(server) as deaf:
        deaf.sendall(START + frame(TEXT, b"?") * 2_000)
        assert connected()
        wait_until(lambda: not connected(), "it is cut off")
        with upgraded(server) as other:
            other.sendall(START + frame(TEXT, b"?") * 200)
            assert server.end_by_signal(signal.SIGTERM) == 0


async def sleepy(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that takes one message and then none for two seconds."""
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    await asyncio.sleep(2)
    while (await receive())["type"] == "websocket.receive":
        pass


@pytest.mark.parametrize(
    ("protocol", "survives"),
    [(websocket_class(LimitsConfig()), True), ("websockets-sansio", False)],
)
async def test_keepalive_rests_while_the_server_does_not_read(
    protocol: object, survives: bool
) -> None:
    """uvicorn's own protocol closes a healthy client; once it does not, ours is not needed."""
    pings = {"ws_ping_interval": 0.2, "ws_ping_timeout": 0.3}
    async with (
        serving(sleepy, protocol, **pings, lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}/", compression=None, ping_interval=None) as connection,
    ):
        for _ in range(3):
            await connection.send(b"audio")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await connection.wait_closed()
        assert (connection.close_code is None) == survives
