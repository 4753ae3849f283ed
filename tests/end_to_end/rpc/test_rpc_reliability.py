"""What happens over gRPC when a server, a worker or a client ends, or a client misbehaves."""

import asyncio
import contextlib
import signal
import struct
from collections.abc import Callable

import grpc.aio
import psutil
import pytest

from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.rpc_call import (
    CHUNKS,
    REQUEST,
    RpcClient,
    address_of,
    rpc_client,
    stream_rpc,
    with_port,
)
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import beckett
from tools.harness.streams import check_stream, events_of

STANDIN = {"model": {"type": "standin"}}
WINDOW_BYTES = 131_072
"""Twice the window of HTTP/2: more than a client can send before it is read."""
SMALL_WINDOW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1_024)]


async def in_mid_utterance(call: RpcClient) -> None:
    await call.start(beckett())
    await call.send(beckett().part(0, 1.0))
    await call.events_until("active")


async def waits_until(condition: Callable[[], object], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_is_owed_comes_before_the_end(launch: Launch, number: signal.Signals) -> None:
    server = launch(with_port({**STANDIN, "limits": {"drain_seconds": 4}}))
    async with contextlib.AsyncExitStack() as stack:
        calls = [await stack.enter_async_context(rpc_client(server)) for _ in range(5)]
        idle = await stack.enter_async_context(rpc_client(server))
        for call in calls:
            await in_mid_utterance(call)
        server.send_signal(number)
        for call in calls:
            events = await call.events_until_close()
            kinds = [event["type"] for event in events]
            assert kinds == ["going_away", "inactive", "segment", "stopped"]
            assert events[-1]["audio_seconds"] == 1.0
            assert await call.status() == ("ABORTED", "the server is shutting down")
        assert [event["type"] for event in await idle.events_until_close()] == ["going_away"]
    assert server.process.wait(TIMEOUT_S) == 0


async def test_a_second_signal_ends_at_once(launch: Launch) -> None:
    server = launch(with_port(STANDIN))
    async with rpc_client(server) as call:
        await in_mid_utterance(call)
        server.send_signal(signal.SIGTERM)
        await call.events_until("going_away")
        server.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, TIMEOUT_S) == 0
        await call.events_until_close()
        assert await call.status() == ("ABORTED", "the server is shutting down")


async def test_a_call_that_outlasts_the_drain_is_not_unavailable(launch: Launch) -> None:
    stuck = {"type": "standin", "options": {"delay": 600}}
    server = launch(with_port({"model": stuck, "limits": {"drain_seconds": 1}}))
    async with rpc_client(server) as call:
        await in_mid_utterance(call)
        server.send_signal(signal.SIGTERM)
        await call.events_until_close()
        assert await call.status() == ("ABORTED", "the server is shutting down")
    assert await asyncio.to_thread(server.process.wait, TIMEOUT_S) == 0


async def test_a_worker_is_killed(launch: Launch) -> None:
    server = launch(with_port({**STANDIN, "inference": {"workers": 1}}))
    expected = await stream_rpc(server, beckett())
    (worker,) = server.workers()
    async with rpc_client(server) as call:
        await call.start(beckett())
        worker.suspend()
        await call.send(beckett().part(0, 3.0))
        events = await call.events_until("inactive")  # so it has the segment
        worker.kill()
        await call.send(beckett().part(3.0, 10.0))
        events += await call.finish()
        assert await call.status() == ("OK", "")
    check_stream(events)
    assert events_of(events, "segment") == events_of(expected, "segment")


async def test_a_client_vanishes(launch: Launch) -> None:
    server = launch(with_port({**STANDIN, "limits": {"max_sessions": 1}}))
    async with rpc_client(server) as call:
        await in_mid_utterance(call)
    await waits_until(lambda: "stream broken off" in server.log(), "that is noticed")
    await stream_rpc(server, beckett())


async def test_a_client_sends_faster_than_it_is_read(launch: Launch) -> None:
    config = {
        "model": {"type": "standin", "options": {"delay": 600}},
        "simple": {"chunk_seconds": 0.1},
        "inference": {"workers": 1, "timeout_seconds": 600, "max_pending_segments": 2},
        "limits": {"max_buffered_bytes": 1_024, "max_lag_seconds": 0, "drain_seconds": 1},
    }
    server = launch(with_port(config))
    async with rpc_client(server, CHUNKS) as call:
        await call.start()
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 4 * WINDOW_BYTES:
                async with asyncio.timeout(1.0):
                    await call.send(bytes(3_200))
                sent += 3_200
    assert sent < WINDOW_BYTES


async def test_a_client_does_not_read(launch: Launch) -> None:
    limits = {"send_timeout_seconds": 0.5, "max_messages_per_second": 0}
    server = launch(with_port({**STANDIN, "limits": limits}))
    process = psutil.Process(server.process.pid)
    async with rpc_client(server, options=SMALL_WINDOW) as call:
        await call.start()
        before = process.memory_info().rss

        async def flood() -> None:
            while True:
                await call.send_request("flush")  # each has an answer

        async with asyncio.TaskGroup() as tasks:
            flooding = tasks.create_task(flood())
            cut_off = "cut off: the client does not read its events"
            await waits_until(lambda: cut_off in server.log(), "that is noticed")
            flooding.cancel()
        assert process.memory_info().rss - before < 16 * 1024 * 1024
        await stream_rpc(server, beckett())
    await stream_rpc(server, beckett())


async def test_a_message_that_is_too_large(rpc_standin: Server) -> None:
    async with rpc_client(rpc_standin) as call:
        await in_mid_utterance(call)
        await call.call.write(REQUEST(audio=bytes(262_144)))
        events = await call.events_until_close()
        assert [event["type"] for event in events] == ["error", "inactive", "segment", "stopped"]
        assert (events[0]["code"], events[0]["fatal"]) == ("too_large", True)
        details = "the message has 262148 bytes; allowed: 262144"
        assert await call.status() == ("RESOURCE_EXHAUSTED", details)
    async with rpc_client(rpc_standin) as call:
        await call.start()
        with contextlib.suppress(grpc.aio.AioRpcError):
            await call.call.write(REQUEST(audio=bytes(5_000_000)))
        await call.events_until_close()
        assert (await call.status())[0] == "RESOURCE_EXHAUSTED"
    await stream_rpc(rpc_standin, beckett())


async def test_messages_come_faster_than_allowed(launch: Launch) -> None:
    server = launch(with_port({**STANDIN, "limits": {"max_messages_per_second": 100}}))
    async with rpc_client(server) as call:
        await call.start(beckett())
        for _ in range(150):
            await call.send_request("keep_alive")
        events = await call.finish()
    (warning,) = events_of(events, "warning")
    assert warning["code"] == "lagging"
    assert "limits.max_messages_per_second (100)" in warning["message"]


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
PING = b"\0\0\x08\x06\0\0\0\0\0"


async def test_a_flood_of_pings_ends_its_connection(rpc_standin: Server) -> None:
    host, port = (await asyncio.to_thread(address_of, rpc_standin)).split(":")
    async with rpc_client(rpc_standin) as other:
        await in_mid_utterance(other)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(PREFACE + SETTINGS)
        pings = (PING + struct.pack(">Q", number) for number in range(100))
        writer.write(b"".join(pings))
        async with asyncio.timeout(TIMEOUT_S):
            answer = await reader.read()  # to the end
        assert b"too_many_pings" in answer
        writer.close()
        await other.send(beckett().part(1.0, 10.0))
        check = await other.finish()
        assert len(events_of(check, "segment")) == 6


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 16, PREFACE + b"\xff" * 99]
)
async def test_garbage_ends_its_connection(rpc_standin: Server, data: bytes) -> None:
    host, port = (await asyncio.to_thread(address_of, rpc_standin)).split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    async with asyncio.timeout(TIMEOUT_S):
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
    writer.close()
    await stream_rpc(rpc_standin, beckett())


async def test_a_message_that_is_none(rpc_standin: Server) -> None:
    async with grpc.aio.insecure_channel(
        await asyncio.to_thread(address_of, rpc_standin)
    ) as channel:
        call = RpcClient(channel.stream_stream("/streamer.v1.Streaming/Stream")())
        await call.call.write(b"\xff\xff\xff")
        await call.call.write(b"")
        await call.call.done_writing()
        async with asyncio.timeout(TIMEOUT_S):
            answers = [answer async for answer in call.call]
        assert b"the message is no StreamRequest" in answers[0]
        assert b"'request' is missing; allowed: one of start, audio, configure" in answers[1]
        assert await call.status() == ("OK", "")
