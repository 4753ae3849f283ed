"""Google's package when things go wrong: what it gets, and what is not lost."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from streamer.http.spoken_words import plain
from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.recognizers import (
    counted,
    failure,
    google,
    results,
    run,
    running,
    text,
)
from tests.end_to_end.rpc.rpc_call import address_of, with_port
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import beckett
from tools.harness.streams import client, stream_audio, transcript

METHOD = "/google.cloud.speech.v1.Speech/StreamingRecognize"
SYNC = google("sync")
BOTH = pytest.mark.parametrize("kind", ["sync", "async"])
INTERIMS = {"interim_results": True}


def open_sessions(server: Server) -> float:
    return counted(server, "sessions_open", dialect="google")


@BOTH
async def test_a_full_server_is_asked_once(launch: Launch, kind: str) -> None:
    server = launch(with_port({"limits": {"max_sessions": 1}}))
    async with client(server) as other:
        await other.start(beckett())
        lines = await run(google(kind), server, "beckett.wav")
    assert failure(lines)[0] == "ResourceExhausted"
    assert counted(server, "errors_total", code="overloaded") == 1
    assert len(results(await run(google(kind), server, "beckett.wav"))) == 6


@BOTH
async def test_tokens(launch: Launch, kind: str) -> None:
    server = launch(with_port({"access": {"tokens": ["correct-horse"]}}))
    for options in ({}, {"token": "wrong"}):
        name, message = failure(await run(google(kind), server, "beckett.wav", **options))
        assert name == "Unauthenticated"
        assert "token" in message
    lines = await run(google(kind), server, "beckett.wav", token="correct-horse")
    assert len(results(lines)) == 6


@BOTH
async def test_a_server_that_ends_sends_what_it_has_heard(launch: Launch, kind: str) -> None:
    server = launch(with_port({"limits": {"drain_seconds": 8}}))
    options = {"streaming": INTERIMS, "pause_s": 0.1}
    async with running(google(kind), server, "beckett.wav", **options) as program:
        first = await program.next()
        assert first is not None
        assert "results" in first
        server.send_signal(signal.SIGTERM)
        lines = await program.rest()
    # The library may find the stream closed while it sends, before it reads why.
    assert failure(lines)[0] in ("Aborted", "InternalServerError")
    assert results(lines)
    assert lines[-2]["results"][0]["is_final"], "the open segment has its result"
    assert server.process.wait(TIMEOUT_S) == 0


async def test_a_worker_that_is_killed_costs_no_words(rpc_transcriber: Server) -> None:
    options = {"streaming": INTERIMS, "pause_s": 0.05}
    async with running(SYNC, rpc_transcriber, "beckett.wav", **options) as program:
        first = await program.next()
        assert first is not None
        for worker in rpc_transcriber.workers():
            worker.kill()
        lines = await program.rest()
    events = await stream_audio(rpc_transcriber, beckett())
    assert text([first, *lines]) == plain(transcript(events))


async def test_a_client_that_vanishes_leaves_nothing(rpc_transcriber: Server) -> None:
    server = rpc_transcriber
    options = {"streaming": INTERIMS, "pause_s": 0.1}
    async with running(SYNC, server, "beckett.wav", **options) as program:
        assert await program.next() is not None
        assert open_sessions(server) == 1
        program.process.kill()
        await asyncio.to_thread(wait_until, lambda: not open_sessions(server), "it is gone")


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"idle_seconds": 1.0}, "Aborted"),
        ({"max_session_seconds": 1.0}, "OutOfRange"),
    ],
)
async def test_a_call_that_lasts_too_long(
    launch: Launch, limits: dict[str, float], name: str
) -> None:
    server = launch(with_port({"limits": limits}))
    options = {"bytes": 80_000, "pause_s": 5.0, "streaming": INTERIMS}
    async with AsyncExitStack() as stack:
        program = await stack.enter_async_context(running(SYNC, server, "beckett.wav", **options))
        lines = []
        while (line := await program.next()) is not None:
            lines.append(line)
            if "error" in line:
                break
    error, message = failure(lines)
    assert (error, next(iter(limits)) in message) == (name, True)
    assert results(lines), "what was heard has its result"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"language_code": "de-DE"}, "'config.language_code' is \"de-DE\"; allowed with the model"),
        ({"encoding": "SPEEX_WITH_HEADER_BYTE"}, "'config.encoding' is \"SPEEX_WITH_HEADER_BYTE\""),
        ({"sample_rate_hertz": 4_000}, "'config.sample_rate_hertz' is 4000; allowed: 8000 to"),
        ({"audio_channel_count": 9}, "'config.audio_channel_count' is 9; allowed: 1 to 8"),
    ],
)
@BOTH
async def test_what_cannot_be_done_is_named(
    rpc_transcriber: Server, kind: str, config: dict[str, Any], message: str
) -> None:
    lines = await run(google(kind), rpc_transcriber, "beckett.wav", config=config)
    assert len(lines) == 1
    assert failure(lines)[0] == "InvalidArgument"
    assert message in failure(lines)[1]


async def test_a_header_that_says_something_else(rpc_standin: Server) -> None:
    config = {"encoding": "LINEAR16", "sample_rate_hertz": 8_000}
    lines = await run(SYNC, rpc_standin, "beckett.wav", config=config, whole=True)
    name, message = failure(lines)
    assert name == "InvalidArgument"
    assert (
        "'config.sample_rate_hertz' is 8000, and the header of the WAV audio says 16000" in message
    )


async def test_a_recording_that_is_too_large(rpc_standin: Server, tmp_path: Path) -> None:
    path = tmp_path / "silence"
    path.write_bytes(bytes(11 * 1024 * 1024))
    config = {"encoding": "LINEAR16", "sample_rate_hertz": 16_000}
    lines = await run(google("recording"), rpc_standin, path, config=config, whole=True)
    assert failure(lines)[0] == "ResourceExhausted"


async def test_recordings_count_as_requests_do(launch: Launch, tmp_path: Path) -> None:
    stuck = {"type": "standin", "options": {"delay": 600}}
    limits = {"max_concurrent_requests": 1, "drain_seconds": 1}
    server = launch(with_port({"model": stuck, "limits": limits}))
    async with running(google("recording"), server, "beckett.wav"):
        await asyncio.to_thread(wait_until, lambda: open_sessions(server), "the first is in work")
        name, message = failure(await run(google("recording"), server, "beckett.wav"))
        assert (name, "limits.max_concurrent_requests, 1" in message) == ("ResourceExhausted", True)
        async with client(server) as live:
            await live.start(beckett())
            await live.events_until("started")


async def test_a_container_that_is_none(rpc_standin: Server, tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(bytes(range(256)) * 100)
    lines = await run(SYNC, rpc_standin, path, config={"encoding": "FLAC"}, whole=True)
    assert failure(lines)[0] == "InvalidArgument"


@pytest.mark.parametrize(
    ("messages", "part"),
    [
        ([b"\xff\xff"], "the message is no google.cloud.speech.v1.StreamingRecognizeRequest"),
        ([b""], "'streaming_config' is missing"),
        ([b"\x12\x02\x01\x02"], "'streaming_config' is missing"),
        ([], "'streaming_config' is missing"),
        ([b"\x0a\x04\x0a\x02\x08\x01", b"\x0a\x00"], "'streaming_config' comes a second time"),
    ],
)
async def test_garbage_disturbs_no_neighbour(
    rpc_standin: Server, messages: list[bytes], part: str
) -> None:
    async with client(rpc_standin) as neighbour:
        await neighbour.start(beckett())
        async with grpc.aio.insecure_channel(address_of(rpc_standin)) as channel:
            call = channel.stream_stream(METHOD)(iter(messages))
            async with asyncio.timeout(TIMEOUT_S):
                assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert part in await call.details()
        await neighbour.send(beckett().data)
        await neighbour.send_request("stop")
        assert (await neighbour.events_until("stopped"))[-1]["segments"] == 6


async def test_it_can_be_switched_off(launch: Launch) -> None:
    server = launch(with_port({}, dialects=["streamer", "riva"]))
    name, _ = failure(await run(SYNC, server, "beckett.wav"))
    assert name == "MethodNotImplemented"
