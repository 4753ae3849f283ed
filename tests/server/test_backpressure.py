"""Clients that send faster than can be processed, and clients that do not read."""

import asyncio
import contextlib
import json
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from streamer.websocket import StreamingProtocol

from .conftest import Launch
from .process import wait_until
from .sounds import beckett, silence
from .streams import Client, client, hear, of

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
    await hear(server, silence(2), "simple")
    before = process.memory_info().rss
    speech = beckett().data[: 16_000 * 2]
    async with client(server, "simple") as socket:
        await socket.start()
        sent = await flood(socket, speech * 4, HOUR_BYTES)
        assert sent < 24 * MEGABYTE, "most of it waits with the client, or in the kernel"
        assert process.memory_info().rss - before < 19 * MEGABYTE
        neighbour = await hear(server, silence(1), "simple")
        assert len(of(neighbour, "segment")) == 1
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
                    while "is cut off" not in server.log():
                        await connection.send(silence(1).data)
                        await asyncio.sleep(0.02)
            wait_until(lambda: "is cut off" in server.log(), "the server gives up on it")
            neighbour = await hear(server, silence(0.5), "simple")
            assert len(of(neighbour, "segment")) == 10
    # Fewer, if the request that found the server ready was still open when they were counted.
    wait_until(lambda: process.num_fds() <= descriptors, "its descriptor is closed")


@contextlib.asynccontextmanager
async def sleepy_server(protocol: object) -> AsyncIterator[int]:
    """A server that takes one message and then none for two seconds; pings come often."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await asyncio.sleep(2)
        while (await receive())["type"] == "websocket.receive":
            pass

    config = uvicorn.Config(
        app,
        port=0,
        ws=protocol,  # type: ignore[arg-type]
        ws_ping_interval=0.2,
        ws_ping_timeout=0.3,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 – uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await running


@pytest.mark.parametrize(
    ("protocol", "survives"), [(StreamingProtocol, True), ("websockets-sansio", False)]
)
async def test_keepalive_rests_while_the_server_does_not_read(
    protocol: object, survives: bool
) -> None:
    """uvicorn's own protocol closes a healthy client; once it does not, ours is not needed."""
    async with (
        sleepy_server(protocol) as port,
        connect(f"ws://127.0.0.1:{port}/", compression=None, ping_interval=None) as connection,
    ):
        for _ in range(3):
            await connection.send(b"audio")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await connection.wait_closed()
        assert (connection.close_code is None) == survives
