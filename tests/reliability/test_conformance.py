"""RFC 6455, as Autobahn's test suite reads it, on the protocol class that is served with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from streamer.config import LimitsConfig
from streamer.websocket import limited

kosoku = pytest.importorskip("kosoku", reason="there is no wheel of kosoku for this machine")

COMPRESSION = ["12.*", "13.*"]
"""Never negotiated: a small frame could become a large one."""

UNLIMITED = LimitsConfig(max_fragments=0, max_messages_per_second=0, max_control_per_second=0)
"""The suite sends 65 536 fragments a message, and as fast as it can."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        kind = "text" if message.get("text") is not None else "bytes"
        try:
            await send({"type": "websocket.send", kind: message[kind]})
        except OSError:  # it is closed already
            return


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    config = uvicorn.Config(
        echo,
        port=0,
        ws=limited(UNLIMITED),
        ws_max_size=1 << 24,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 – uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        await running


async def test_every_case_without_compression_passes() -> None:
    async with echoing() as address:
        results = await kosoku.run_fuzzingclient(address, exclude_cases=COMPRESSION, concurrency=4)
    assert len(results) == 301
