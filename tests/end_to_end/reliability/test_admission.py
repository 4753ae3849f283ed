"""Who finds no room is told so before its socket is accepted, and everything else goes on."""

import asyncio
import contextlib
import json
import os
import signal

import pytest
from websockets.exceptions import InvalidStatus

from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.raw import open_connection, read_to_end, upgrade_request
from tools.harness.sounds import silence
from tools.harness.streams import client, events_of, stream_audio


def refused(server: Server) -> dict[str, str]:
    """Ask for a socket, and be refused; returns the error, with the time to wait."""
    with open_connection(server) as raw:
        raw.sendall(upgrade_request())
        head, _, body = read_to_end(raw).decode().partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    assert status == "HTTP/1.1 503 Service Unavailable"
    values = dict(header.lower().split(": ") for header in headers)
    error: dict[str, str] = json.loads(body)["error"]
    return {**error, "retry_after": values["retry-after"]}


@pytest.mark.parametrize("limit", ["max_sessions", "max_sessions_per_ip"])
async def test_one_socket_more_than_there_may_be(launch: Launch, limit: str) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {limit: 3}})
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(client(server)) for _ in range(3)]
        error = await asyncio.to_thread(refused, server)
        assert error["code"] == "overloaded"
        assert error["message"].endswith(f"limits.{limit} is 3")
        assert int(error["retry_after"]) > 0
        assert f"a client was refused: {error['message']}" in server.log()
        for path in ("/health", "/ready", "/metrics"):
            assert (await asyncio.to_thread(server.get, path)).status == 200
        for socket in sockets:
            await socket.start()
            assert (await socket.next_event())["type"] == "started"
    async with asyncio.timeout(TIMEOUT_S):  # their places become free again, all of them
        while True:
            with contextlib.suppress(InvalidStatus):
                await asyncio.gather(
                    *(stream_audio(server, silence(1), "simple") for _ in range(3))
                )
                break


async def test_a_queue_that_is_too_long_lets_nobody_in(launch: Launch) -> None:
    inference = {"workers": 1, "timeout_seconds": 100}
    limits = {"max_queue_seconds": 0.5, "max_lag_seconds": 0}
    server = launch({"model": {"type": "standin"}, "inference": inference, "limits": limits})
    (worker,) = server.workers()
    async with client(server, "simple") as socket:
        await socket.start()
        os.kill(worker.pid, signal.SIGSTOP)
        await socket.send(silence(4).data)
        error: dict[str, str] = {}
        while not error:
            with contextlib.suppress(AssertionError):  # it is let in until the queue is too long
                error = await asyncio.to_thread(refused_soon, server)
        assert error["message"].startswith("the server is busy")
        assert (await asyncio.to_thread(server.get, "/health")).status == 200
        os.kill(worker.pid, signal.SIGCONT)
        await socket.send_request("stop", disconnect=True)
        assert len(events_of(await socket.events_until_close(), "segment")) == 4
    await stream_audio(server, silence(1), "simple")


def refused_soon(server: Server) -> dict[str, str]:
    with open_connection(server) as raw:
        raw.sendall(upgrade_request())
        assert not raw.recv(4096).startswith(b"HTTP/1.1 101")
    return refused(server)
