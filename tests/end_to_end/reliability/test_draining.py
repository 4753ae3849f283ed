"""The server is told to end: nothing that was promised is lost."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server, still_running, wait_until
from tools.harness.raw import open_connection, read_to_end, upgrade_request
from tools.harness.sounds import beckett, silence
from tools.harness.streams import Client, client, events_of

UNLIMITED = {"max_sessions_per_ip": 0}


@contextlib.asynccontextmanager
async def in_mid_utterance(server: Server) -> AsyncIterator[Client]:
    """A socket that has sent the beginning of a sentence."""
    async with client(server) as socket:
        await socket.start(beckett())
        await socket.send(beckett().part(0, 1.0))
        await socket.events_until("active")
        yield socket


async def drained(server: Server) -> None:
    """Tell the server to end, and wait until it says so."""
    server.send_signal(signal.SIGTERM)
    await asyncio.to_thread(
        wait_until, lambda: server.get("/ready").status == 503, "the server drains"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_hundred_sessions_in_mid_utterance_lose_nothing(
    launch: Launch, number: signal.Signals
) -> None:
    server = launch(
        {"model": {"type": "standin"}, "limits": {**UNLIMITED, "drain_seconds": 8}},
    )
    family = server.descendants()
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        sockets = [await enter(in_mid_utterance(server)) for _ in range(100)]
        server.send_signal(number)
        heard = await asyncio.gather(*(socket.events_until_close() for socket in sockets))
    for socket, events in zip(sockets, heard, strict=True):
        assert [e["type"] for e in events] == ["going_away", "inactive", "segment", "stopped"]
        assert events[0]["deadline_seconds"] == 4
        assert events[-1]["audio_seconds"] == 1.0
        assert socket.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0
    wait_until(lambda: not still_running(family), "its processes are gone")


async def test_a_stream_may_go_on_and_end_by_itself(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    async with in_mid_utterance(server) as socket:
        await drained(server)
        await socket.send(beckett().part(1.0, 10.0))
        await socket.send_request("stop")
        events = await socket.events_until_close()
    assert events[0]["type"] == "going_away"
    assert len(events_of(events, "segment")) == 6
    assert events[-1]["type"] == "stopped"
    assert socket.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0, "there is nothing to wait for any more"
    assert "Ending in 25 s at the latest" in server.log()
    assert "(sessions and requests: 1)" in server.log()


@pytest.mark.parametrize(
    ("request_", "fields", "code"),
    [
        ("stop", {"disconnect": True}, 1000),
        ("start", {"format": {"sample_rate": 16_000}}, 1012),
        ("start", {"format": {"sample_rate": 1}}, 1012),
    ],
)
async def test_what_ends_a_stream_ends_the_socket(
    launch: Launch, request_: str, fields: dict[str, Any], code: int
) -> None:
    server = launch({"model": {"type": "standin"}})
    async with in_mid_utterance(server) as socket:
        await drained(server)
        await socket.send_request(request_, **fields)
        events = await socket.events_until_close()
    assert len(events_of(events, "segment")) == len(events_of(events, "stopped")) == 1
    assert not events_of(events, "started")
    assert socket.close_code == code


async def test_a_socket_without_a_stream_is_told_and_closed(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    async with client(server) as fresh, client(server) as stopped:
        await stopped.start()
        await stopped.send_request("stop")
        await stopped.events_until("stopped")
        server.send_signal(signal.SIGTERM)
        for socket in (fresh, stopped):
            assert [event["type"] for event in await socket.events_until_close()] == ["going_away"]
            assert socket.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0


async def test_while_it_drains_health_answers_and_nobody_comes_in(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    async with in_mid_utterance(server) as socket:
        await drained(server)
        ready = await asyncio.to_thread(server.get, "/api/v1/ready")
        assert ready.json()["status"] == "draining"
        for path in ("/health", "/api/v1/info", "/metrics"):
            assert (await asyncio.to_thread(server.get, path)).status == 200
        reply = await asyncio.to_thread(upgrade, server)
        assert reply.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 25" in reply
        assert b'"overloaded"' in reply
        await socket.send_request("stop", disconnect=True)
        assert (await socket.events_until_close())[-1]["type"] == "stopped"


async def test_a_second_signal_ends_at_once(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 600}})
    family = server.descendants()
    async with in_mid_utterance(server) as socket:
        await drained(server)
        assert server.end_by_signal(signal.SIGTERM) == 0
        await socket.events_until_close()
    wait_until(lambda: not still_running(family), "its processes are gone")


async def test_a_session_that_cannot_be_finished_is_cut_off_at_the_deadline(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 600}}
    inference = {"workers": 1, "timeout_seconds": 600}
    server = launch({"model": model, "inference": inference, "limits": {"drain_seconds": 2}})
    async with client(server, "simple") as socket:
        await socket.start()
        await socket.send(silence(3).data)
        await socket.events_until("started")
        server.send_signal(signal.SIGTERM)
        assert [event["type"] for event in await socket.events_until_close()] == ["going_away"]
        assert socket.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0


async def test_without_draining_sockets_are_closed_at_once(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 0}})
    async with in_mid_utterance(server) as socket:
        server.send_signal(signal.SIGTERM)
        await socket.events_until_close()
        assert socket.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0


def upgrade(server: Server) -> bytes:
    with open_connection(server) as raw:
        raw.sendall(upgrade_request())
        return read_to_end(raw)
