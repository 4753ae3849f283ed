"""Every way in which a real server refuses a client: the line has its reason, and what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from streamer.access.group_tickets import GroupTickets
from tools.harness.process import TIMEOUT_S
from tools.harness.raw import open_connection, upgrade_request
from tools.harness.sounds import silence
from tools.harness.streams import client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from tests.client.conftest import Peer, RunCommand, ServeScript
    from tests.end_to_end.conftest import Launch
    from tools.harness.process import Server

STANDIN = {"model": {"type": "standin"}, "inference": {"workers": 1}}
BECKETT = "models/moonshine-tiny-en/beckett.wav"
TOKEN, SECRET, OTHER = "right", secrets.token_hex(32), secrets.token_hex(32)
GUARDED = STANDIN | {"access": {"tokens": [TOKEN], "ticket_secrets": [SECRET]}}
GIVE_ANOTHER = "; give another with --token or in STREAMER_TOKEN\n"
WRONG = (
    "the token is not valid: it is not one of the server's tokens, and not an unused ticket of "
    "this server or its group"
)


def address(server: Server, path: str = "/api/v1/segmented") -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


def ticket(secret: str = SECRET, issued_s_ago: float = 0.0) -> str:
    clock_s = time.time() - issued_s_ago
    return GroupTickets([secret], lambda: clock_s).issue("", 60, single_use=True)


async def test_tickets_and_tokens_that_are_refused(
    launch: Launch, run_command: RunCommand, speech: Path
) -> None:
    server = launch(GUARDED)
    used, fresh = ticket(), ticket()
    changed = ("B" if fresh[-1] == "A" else "A").join([fresh[:-1], ""])
    assert (await run_command(speech, "-a", address(server), "--token", used)).code == 0
    for shown, reason in (
        (used, "the ticket is not valid: it admits once, and was used before; get a new one"),
        (ticket(issued_s_ago=61), "the ticket is not valid: it has expired; get a new one"),
        (ticket(OTHER), WRONG),
        (changed, WRONG),
        ("unknown", WRONG),
    ):
        refused = f"refused the token (HTTP 401): {reason}"
        line = f"{refused}{GIVE_ANOTHER}"
        where = address(server)
        result = await run_command(speech, "-a", where, "--token", shown)
        assert (result.code, result.err) == (4, f"streamer-client: the server at {where} {line}")
        result = await run_command(speech, "-a", f"{address(server)}?token={shown}")
        line = f"the server at {where}?token=… {refused}; give another in the address"
        assert (result.code, result.err) == (4, f"streamer-client: {line}\n")


async def test_no_token(launch: Launch, run_command: RunCommand, speech: Path) -> None:
    where = address(launch(GUARDED))
    result = await run_command(speech, "-a", where)
    needed = f"streamer-client: the server at {where} requires a token: "
    assert (result.code, result.err) == (4, f"{needed}give one with --token or in STREAMER_TOKEN\n")


@contextlib.asynccontextmanager
async def proxy_that_adds(header: bytes, port: int) -> AsyncIterator[int]:
    """Passes one request on, with a header more, and its answer back."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        there, to_server = await asyncio.open_connection("127.0.0.1", port)
        to_server.write(head[:-2] + header + b"\r\n\r\n")
        writer.write(await there.read())
        to_server.close()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


async def test_an_origin_that_a_proxy_adds(
    launch: Launch, run_command: RunCommand, speech: Path
) -> None:
    server = launch(STANDIN | {"access": {"origins": ["https://example.com"]}})
    async with proxy_that_adds(b"Origin: https://elsewhere.example", server.port) as port:
        result = await run_command(speech, "-a", f"ws://127.0.0.1:{port}/api/v1/simple")
    assert result.code == 4
    assert (
        "refused this client (HTTP 403): this Origin may not use the server; see access.origins; "
        "who runs the server, or the proxy before it, can allow this client"
    ) in result.err


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("max_sessions", "all places are taken: limits.max_sessions is 1"),
        (
            "max_sessions_per_ip",
            "this address has all the places it may have: limits.max_sessions_per_ip is 1",
        ),
    ],
)
async def test_too_many_sessions(
    launch: Launch, run_command: RunCommand, speech: Path, limit: str, reason: str
) -> None:
    server = launch(STANDIN | {"limits": {limit: 1}})
    async with client(server) as socket:
        await socket.start()
        result = await run_command(speech, "-a", address(server))
    assert (result.code, result.err) == (
        3,
        f"streamer-client: the server at {address(server)} cannot take another stream now "
        f"(HTTP 503): {reason}; try again in 5 s\n",
    )


def is_refused(server: Server) -> bool:
    """It lets clients in until its queue is too long."""
    with open_connection(server) as raw:
        raw.sendall(upgrade_request())
        return not raw.recv(4096).startswith(b"HTTP/1.1 101")


async def test_a_server_that_is_busy(launch: Launch, run_command: RunCommand, speech: Path) -> None:
    limits = {"max_queue_seconds": 0.5, "max_lag_seconds": 0}
    server = launch(STANDIN | {"limits": limits})
    (worker,) = server.workers()
    async with client(server, "simple") as socket, asyncio.timeout(TIMEOUT_S):
        await socket.start()
        os.kill(worker.pid, signal.SIGSTOP)
        await socket.send(silence(4).data)
        while not await asyncio.to_thread(is_refused, server):
            pass
        result = await run_command(speech, "-a", address(server))
        os.kill(worker.pid, signal.SIGCONT)
    assert result.code == 3
    assert "(HTTP 503): the server is busy: a result would wait for " in result.err
    assert "limits.max_queue_seconds is 0.5; try again in " in result.err


async def test_a_server_that_is_going_to_end(
    launch: Launch, run_command: RunCommand, speech: Path
) -> None:
    server = launch(STANDIN)
    async with client(server) as socket:
        await socket.start()
        server.process.send_signal(signal.SIGTERM)
        while (await socket.next_event())["type"] != "going_away":
            pass
        result = await run_command(speech, "-a", address(server))
    assert result.code == 3
    assert "(HTTP 503): the server is shutting down; try again in " in result.err


async def test_a_session_that_is_too_long(launch: Launch, run_command: RunCommand) -> None:
    server = launch(STANDIN | {"limits": {"max_session_seconds": 1}})
    result = await run_command(BECKETT, "-a", address(server), "--real-time")
    assert result.code == 5
    assert "limits.max_session_seconds" in result.last_line
    assert result.last_line.endswith("with --reconnect, the client goes on in another stream")


@pytest.mark.parametrize(
    ("status", "reason", "code", "says"),
    [
        (429, None, 3, "takes no more requests for now (HTTP 429); try again in 7 s"),
        (429, "slower", 3, "takes no more requests for now (HTTP 429): slower; try again in 7 s"),
        (502, None, 3, "is a proxy that reached no server (HTTP 502); try again in 7 s"),
        (503, None, 3, "cannot take another stream now (HTTP 503); try again in 7 s"),
        (504, None, 3, "got no answer from a server (HTTP 504); try again in 7 s"),
        (403, None, 4, "refused this client (HTTP 403); who runs the server, or the proxy"),
        (403, "no", 4, "refused this client (HTTP 403): no; who runs the server, or the proxy"),
        (400, "a field", 3, "answered HTTP 400 instead of opening a WebSocket: a field; check"),
    ],
)
async def test_what_proxies_answer(
    serve_script: ServeScript, run_command: RunCommand, speech: Path,
    status: int, reason: str | None, code: int, says: str,
) -> None:  # fmt: skip
    def gate(connection: ServerConnection, request: Request) -> Response:
        body = json.dumps({"error": {"message": reason}}) if reason else "<p>no</p>"
        response = connection.respond(HTTPStatus(status), body)
        response.headers["Retry-After"] = "7"
        return response

    server = await serve_script(unused, gate)
    result = await run_command(speech, "-a", server.url)
    assert result.code == code
    assert says in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("close_code", "reason", "code", "says"),
    [
        (1008, "the ticket is not valid", 4, "did not admit this client: the ticket is not valid"),
        (1008, "not today", 4, "did not accept the stream: policy: not today"),
        (1011, "a defect", 5, "the server failed (1011): a defect"),
        (1012, "restarting", 5, "restarting; try again in a while"),
        (1013, "too busy", 4, "did not accept the stream: too busy; try again in a while"),
        (4000, "why not", 5, "closed the connection (4000) before the end of the stream: why not"),
    ],
)
async def test_closed_before_the_stream_has_begun(
    serve_script: ServeScript, run_command: RunCommand, speech: Path,
    close_code: int, reason: str, code: int, says: str,
) -> None:  # fmt: skip
    async def script(peer: Peer) -> None:
        await peer.read_start()
        await peer.connection.close(close_code, reason)

    server = await serve_script(script)
    result = await run_command(speech, "-a", server.url, "--token", "x")
    assert result.code == code
    assert says in result.err
    assert result.err.count("\n") == 1


async def unused(peer: Peer) -> None:
    """No connection is opened."""
