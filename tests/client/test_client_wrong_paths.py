"""A server that is another one, and a path that is another one: in the command, Python and load."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

import streamer.load.connect
from streamer.load.connect import open_stream
from streamer.load.plan import LoadPlan
from streamer_client import CannotConnect, StreamerError, connect
from streamer_client.failures import ExitCode, Progress, explain
from streamer_client.formats import AudioFormat

if TYPE_CHECKING:
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from tests.client.conftest import Peer, RunCommand, ServeScript

import asyncio

RIGHT = "/api/v1/segmented"
NOT_STREAMER = "it is not a Streamer server, or a proxy that does not pass this path on"


async def tried(url: str) -> list[str]:
    """The line of the command's error, Python's, and that of `streamer load`."""
    found = []
    with pytest.raises(CannotConnect) as caught:
        async with connect(url, timeout_s=0.2):
            pass
    found.append(str(caught.value))
    plan = LoadPlan(url, 1, 1.0, b"", AudioFormat(16_000, 1, 16))
    with pytest.raises(StreamerError) as refused:
        await asyncio.to_thread(open_stream, plan)
    found.append(str(refused.value))
    for error in (caught.value, refused.value):
        code, line = explain(error, url, Progress(), token_given=False)
        assert code == ExitCode.CANNOT_CONNECT
        found.append(line)
    return found


@pytest.mark.parametrize(
    ("path", "says", "says_not"),
    [
        (RIGHT, f"has no {RIGHT} (HTTP 404): {NOT_STREAMER}", "use"),
        ("/api/v1/simple", f"has no /api/v1/simple (HTTP 404): {NOT_STREAMER}", "use"),
        ("/nope", "/nope (HTTP 404); use ws://127.0.0.1:", NOT_STREAMER),
        (RIGHT + RIGHT, "; use ws://127.0.0.1:", NOT_STREAMER),
        (RIGHT + "/", "; use ws://127.0.0.1:", NOT_STREAMER),
        ("/proxied" + RIGHT, "; use ws://127.0.0.1:", NOT_STREAMER),
    ],
)
async def test_nothing_is_there(
    serve_script: ServeScript, path: str, says: str, says_not: str
) -> None:
    def gate(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus.NOT_FOUND, "no")

    server = await serve_script(_nothing, gate)
    for line in await tried(f"ws://127.0.0.1:{server.port}{path}"):
        assert says in line
        assert f" {says_not} " not in f"{line} "


async def _nothing(peer: Peer) -> None:
    await peer.connection.wait_closed()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (RIGHT, "/api/v1/ready says what it waits for, such as its model: try again"),
        (f"/proxied{RIGHT}", "/api/v1/ready says what it waits for, such as its model: try again"),
        ("/v1/listen", "not a path of Streamer's protocol: use ws://127.0.0.1:"),
    ],
)
async def test_a_silent_server(
    serve_script: ServeScript, monkeypatch: pytest.MonkeyPatch, path: str, says: str
) -> None:
    monkeypatch.setattr(streamer.load.connect, "CONNECT_TIMEOUT_S", 0.2)
    server = await serve_script(_nothing)
    for line in await tried(f"ws://127.0.0.1:{server.port}{path}"):
        assert "accepted the connection but did not start within 0.2 s; " in line
        assert says in line
        assert "make run" not in line


@pytest.mark.parametrize("path", [RIGHT, "/v1/realtime"])
@pytest.mark.parametrize(
    "first", ['{"type": "error", "error": {"message": "no"}}', '{"type": "error"}']
)
async def test_another_protocol(serve_script: ServeScript, path: str, first: str) -> None:
    async def other(peer: Peer) -> None:
        await peer.send_raw(first)
        await peer.connection.wait_closed()

    server = await serve_script(other)
    for line in await tried(f"ws://127.0.0.1:{server.port}{path}"):
        assert "answers in another protocol than Streamer's; " in line
        assert ("use ws://" in line) == (path != RIGHT)
        assert "make run" not in line


async def test_a_load_has_the_parameters_of_its_address(serve_script: ServeScript) -> None:
    """Such as a token."""
    server = await serve_script(_started)
    url = f"ws://127.0.0.1:{server.port}{RIGHT}?token=s3cret&x=1"
    plan = LoadPlan(url, 1, 1.0, b"", AudioFormat(16_000, 1, 16))
    opened, _ = await asyncio.to_thread(open_stream, plan)
    opened.close()
    request = server.peers[0].connection.request
    assert request is not None
    assert request.path == f"{RIGHT}?token=s3cret&x=1"


async def _started(peer: Peer) -> None:
    await peer.begin()
    await peer.connection.wait_closed()


async def test_the_command_gives_up(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    server = await serve_script(_nothing)
    address = f"ws://127.0.0.1:{server.port}/v1/listen"
    result = await run_command(speech, "-a", address, "--timeout", "0.2")
    assert result.code == ExitCode.CANNOT_CONNECT
    assert "not a path of Streamer's protocol: use ws://" in result.err
    assert "make run" not in result.err
    assert result.err.count("\n") == 1
