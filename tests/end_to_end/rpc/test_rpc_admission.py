"""Who may use the port for gRPC, and what those get who may not."""

import asyncio
import signal

import pytest

from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.health import health_of
from tests.end_to_end.rpc.rpc_call import (
    Metadata,
    address_of,
    call_on,
    channel_to,
    rpc_client,
    stream_rpc,
    with_port,
)
from tools.harness.process import TIMEOUT_S, wait_until
from tools.harness.sounds import beckett
from tools.harness.streams import client

STANDIN = {"model": {"type": "standin"}}
TOKEN = "a-token-of-this-test"


@pytest.mark.parametrize("limit", ["max_sessions", "max_sessions_per_ip"])
async def test_one_call_more_than_there_may_be(launch: Launch, limit: str) -> None:
    server = launch(with_port({**STANDIN, "limits": {limit: 2}}))
    async with rpc_client(server) as first, client(server) as socket:
        await first.start(beckett())
        await first.events_until("started")
        await socket.start(beckett())  # the WebSocket has the other place
        await socket.events_until("started")
        async with rpc_client(server) as refused:
            assert await refused.events_until_close() == []
            name, details = await refused.status()
            assert name == "RESOURCE_EXHAUSTED"
            assert details.endswith(f"limits.{limit} is 2")
            trailing = dict(await refused.call.trailing_metadata())
            assert int(trailing["retry-after"]) > 0
        assert f"a client was refused: {details}" in server.log()
        await first.finish()
    await stream_rpc(server, beckett())


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ((), "UNAUTHENTICATED"),
        ((("authorization", "Bearer wrong"),), "UNAUTHENTICATED"),
        ((("x-goog-api-key", "wrong"),), "UNAUTHENTICATED"),
        ((("authorization", f"Bearer {TOKEN}"),), "OK"),
        ((("authorization", TOKEN),), "OK"),
        ((("x-goog-api-key", TOKEN),), "OK"),
    ],
)
async def test_a_token_is_in_the_metadata(
    launch: Launch, metadata: Metadata, expected: str
) -> None:
    server = launch(with_port({**STANDIN, "access": {"tokens": [TOKEN]}}))
    async with rpc_client(server, metadata=metadata) as call:
        await call.call.done_writing()
        await call.events_until_close()
        name, details = await call.status()
    assert name == expected
    assert ("token" in details) == (name != "OK")
    assert TOKEN not in server.log()
    assert await health_of(address_of(server)) == "SERVING", "which needs no token"


async def test_clients_behind_a_proxy_are_told_apart(launch: Launch) -> None:
    proxied = {"server": {"forwarded_allow_ips": ["127.0.0.1"]}}
    server = launch(with_port({**STANDIN, **proxied, "limits": {"max_sessions_per_ip": 1}}))
    async with channel_to(server) as channel:
        calls = []
        for number in (1, 2):
            call = call_on(channel, metadata=[("x-forwarded-for", f"192.0.2.{number}")])
            await call.start(beckett())
            await call.events_until("started")
            calls.append(call)
        refused = call_on(channel, metadata=[("x-forwarded-for", "192.0.2.1")])
        assert await refused.events_until_close() == []
        assert (await refused.status())[0] == "RESOURCE_EXHAUSTED"
        for call in calls:
            await call.finish()
            assert (await call.status())[0] == "OK"


@pytest.mark.parametrize(
    ("limit", "code", "status"),
    [
        ("idle_seconds", "idle_timeout", "ABORTED"),
        ("max_session_seconds", "session_too_long", "OUT_OF_RANGE"),
    ],
)
async def test_at_a_limit_of_time_all_results_come_first(
    launch: Launch, limit: str, code: str, status: str
) -> None:
    server = launch(with_port({**STANDIN, "limits": {limit: 1.0}}))
    async with rpc_client(server) as call:
        await call.start(beckett())
        await call.send(beckett().part(0, 1.0))
        events = await call.events_until_close()
        assert [event["type"] for event in events][-2:] == ["segment", "stopped"]
        (error,) = (event for event in events if event["type"] == "error")
        assert (error["code"], error["fatal"]) == (code, True)
        assert await call.status() == (status, error["message"])


async def test_a_server_that_ends_takes_no_new_calls_and_finishes_the_others(
    launch: Launch,
) -> None:
    server = launch(with_port(STANDIN))
    address = address_of(server)
    async with channel_to(address) as channel:
        open_call = call_on(channel)
        await open_call.start(beckett())
        await open_call.send(beckett().part(0, 1.0))
        await open_call.events_until("active")
        assert await health_of(address, "streamer.v1.Streaming") == "SERVING"
        server.send_signal(signal.SIGTERM)
        await asyncio.to_thread(
            wait_until, lambda: server.get("/ready").status == 503, "the server drains"
        )
        assert await health_of(address, "streamer.v1.Streaming") == "NOT_SERVING"
        late = call_on(channel)
        assert await late.events_until_close() == []
        assert await late.status() == ("RESOURCE_EXHAUSTED", "the server is shutting down")
        await open_call.send(beckett().part(1.0, 10.0))
        events = await open_call.finish()
        assert events[0]["type"] == "going_away"
        assert sum(event["type"] == "segment" for event in events) == 6
        assert (await open_call.status())[0] == "OK"
    assert server.process.wait(TIMEOUT_S) == 0
