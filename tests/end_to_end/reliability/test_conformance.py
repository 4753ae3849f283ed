"""RFC 6455, as Autobahn's test suite reads it, on the protocol class that is served with."""

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.config.limits import LimitsConfig
from streamer.websocket.connection import websocket_class
from tests.websocket.in_loop import serving
from tests.websocket.receiving import DirectEcho

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


@pytest.mark.parametrize("app", [echo, DirectEcho()], ids=["receiving", "direct"])
async def test_every_case_without_compression_passes(app: ASGIApp) -> None:
    size = 1 << 24
    async with serving(
        app,
        websocket_class(UNLIMITED),
        ws_max_size=size,
        ws_per_message_deflate=False,
        lifespan="off",
    ) as port:
        address = f"ws://127.0.0.1:{port}"
        results = await kosoku.run_fuzzingclient(address, exclude_cases=COMPRESSION, concurrency=4)
    assert len(results) == 301
