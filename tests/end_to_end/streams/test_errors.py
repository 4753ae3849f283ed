"""What clients and models do wrong: it is told in words, and nothing else breaks."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from streamer.weights.manifest import require
from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import Audio, beckett, silence
from tools.harness.streams import (
    Client,
    check_stream,
    client,
    events_of,
    findings,
    stream_audio,
)

START = {"request": "start", "format": {"sample_rate": 16_000}}


def start(**fields: Any) -> str:
    return json.dumps({**START, **fields})


def start_format(**fields: Any) -> str:
    return start(format={"sample_rate": 16_000, **fields})


@pytest_asyncio.fixture
async def socket(standin: Server) -> AsyncIterator[Client]:
    async with client(standin) as opened:
        yield opened


BAD_MESSAGES = {
    "stop it": "not JSON",
    "": "not JSON",
    '{"request": "stop"': "not JSON",
    "[]": "expected a JSON object",
    "null": "expected a JSON object",
    "{}": "'request' is missing",
    '{"request": "dance"}': "'request' is \"dance\"; allowed: one of start, configure, flush,",
    '{"request": 7}': "'request' is 7; allowed",
    '{"request": "start"}': "'format' is missing",
    '{"request": "stop", "disconnect": "yes"}': "'disconnect' is \"yes\"; allowed: true or false",
    '{"request": "flush", "now": true}': "unknown field 'now'",
    start(colour="red"): "unknown field 'colour'; allowed: request, eager, format",
    start(vad={"treshold": 0.5}): "unknown field 'vad.treshold'; allowed: max_segment_ms",
    start(vad={"threshold": 1.5}): "'vad.threshold' is 1.5; allowed: a number above 0",
    start(vad={"min_silence_ms": 49}): "'vad.min_silence_ms' is 49; allowed: a whole number from",
    start(vad={"min_speech_ms": "100"}): "'vad.min_speech_ms' is \"100\"; allowed",
    start(vad={"max_segment_ms": 1_000, "prefix_padding_ms": 2_000}): "prefix_padding_ms + min_sp",
    start(vad=[]): "'vad' is []; allowed: an object",
    start(model="gpt"): "'model' is \"gpt\"; allowed: standin",
    start(interim_results=1): "'interim_results' is 1; allowed: true or false",
    # Hostile ones.
    '{"request": "start", "format": {"sample_rate": NaN}}': "not JSON",
    start().replace("16000", "Infinity"): "not JSON",
    start(vad={"threshold": 1}).replace("1}", "1e999}"): "",
    "[" * 8_000: "not JSON",
    '{"request": ' * 1_200: "not JSON",
    start(**{"a\r\nINFO forged": 1}): "unknown field 'a",
    start(**{"x` - at `$.y": 1}): "unknown field '",
    start(vad={"x` - at `$.y.z`": 1}): "unknown field '",
    start(model="\r\nforged\x1b[2J"): "'model' is \"\\r\\nforged",
    start(model="\ud800"): "",
    start(model="x" * 10_000): "'model' is \"xxx",
}

BAD_FORMATS = {
    start_format(sample_rate=7_999): "sample_rate' is 7999; allowed: 8000 to 192000",
    start_format(sample_rate=192_001): "sample_rate' is 192001; allowed",
    start_format(sample_rate=10**30): "sample_rate",
    start_format(sample_rate=-1): "sample_rate' is -1; allowed",
    start_format(sample_rate=16_000.5): "sample_rate' is 16000.5; allowed: a whole number",
    start_format(sample_rate=None): "sample_rate' is null; allowed: a whole number",
    start_format(channels=0): "channels' is 0; allowed: 1 to 8",
    start_format(channels=9): "channels' is 9; allowed: 1 to 8",
    start_format(channels=10**6): "channels' is 1000000; allowed: 1 to 8",
    start_format(bit_depth=12): "bit_depth' is 12; allowed for integer PCM: 8, 16, 24, 32",
    start_format(bit_depth=16, is_float=True): "bit_depth' is 16; allowed for float PCM: 32, 64",
    start_format(encoding="mp3"): 'encoding\' is "mp3"; allowed: one of',
    start_format(encoding="mulaw"): "bit_depth' is 16; allowed with mulaw: 8",
    start_format(endian="big"): "unknown field 'format.endian'",
    start(format="wav"): "'format' is \"wav\"; allowed: an object",
}


@pytest.mark.parametrize(("message", "why"), BAD_MESSAGES.items(), ids=range(len(BAD_MESSAGES)))
async def test_a_bad_message_is_explained_and_nothing_else(
    standin: Server, socket: Client, message: str, why: str
) -> None:
    before = standin.log_bytes
    await socket.send_text(message)
    error = await socket.next_event()
    assert error["code"] == "bad_message"
    assert error["fatal"] is False
    assert why in error["message"]
    assert error["message"].isprintable()
    await _still_usable(socket)
    assert "forged" not in standin.log(before)


@pytest.mark.parametrize(("message", "why"), BAD_FORMATS.items(), ids=range(len(BAD_FORMATS)))
async def test_a_bad_format_is_explained_and_a_new_start_waited_for(
    socket: Client, message: str, why: str
) -> None:
    await socket.send_text(message)
    error = await socket.next_event()
    assert error["code"] == "bad_format"
    assert error["fatal"] is False
    assert why in error["message"]
    await _still_usable(socket)


@pytest.mark.parametrize("depth", range(400, 1_000, 25))
async def test_deep_json_is_refused_at_any_depth(socket: Client, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    await socket.send_text(start(model="DEEP").replace('"DEEP"', deep))
    assert (await socket.next_event())["code"] == "bad_message"
    await _still_usable(socket)


async def test_a_bad_format_in_mid_stream_finishes_the_stream(socket: Client) -> None:
    await socket.start()
    await socket.send(silence(1).data)
    await socket.send_text(start_format(channels=0))
    kinds = [(await socket.next_event())["type"] for _ in range(3)]
    assert kinds == ["started", "stopped", "error"]
    await _still_usable(socket)


@pytest.mark.parametrize("path", ["segmented", "simple"])
async def test_a_bad_message_in_mid_stream_disturbs_nothing(standin: Server, path: str) -> None:
    async with client(standin, path) as socket:
        await socket.start()
        for first in range(0, len(beckett().data), 40_000):
            await socket.send(beckett().data[first : first + 40_000])
            await socket.send_text('{"request": "stopp"}')
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert len(events_of(events, "error")) == 8
    calm = [event for event in events if event["type"] != "error"]
    check_stream(calm)
    assert findings(calm) == findings(await stream_audio(standin, beckett(), path))


@pytest.mark.parametrize("request_", ["flush", "stop"])
async def test_a_request_without_a_stream_is_unexpected(socket: Client, request_: str) -> None:
    await socket.send_request(request_)
    error = await socket.next_event()
    assert error["code"] == "unexpected_message"
    assert error["message"].startswith(request_)
    await _still_usable(socket)


async def test_a_run_of_audio_without_a_stream_is_reported_once(socket: Client) -> None:
    for _ in range(2):
        await socket.send(silence(1).data, (320,))
        await socket.send_request("keep_alive")
    await socket.send_request("stop", disconnect=True)
    messages = [event["message"].partition(":")[0] for event in await socket.events_until_close()]
    assert messages == ["audio", "audio", "stop"]
    assert socket.close_code == 1000


async def _still_usable(socket: Client) -> None:
    await socket.start()
    assert (await socket.next_event())["type"] == "started"
    await socket.send_request("stop")
    assert (await socket.next_event())["type"] == "stopped"


# Limits


@pytest.mark.parametrize("in_stream", [True, False])
@pytest.mark.parametrize(("kind", "limit"), [("binary", 262_144), ("text", 65_536)])
async def test_a_message_over_the_limit_is_too_large(
    socket: Client, *, in_stream: bool, kind: str, limit: int
) -> None:
    if in_stream:
        await socket.start()
    for size in (limit, limit + 1):
        if kind == "text":
            await socket.send_text('{"request": "keep_alive"}'.ljust(size))
        else:
            await socket.send(bytes(size), (size,))
    events = await socket.events_until_close()
    (error,) = (
        event for event in events_of(events, "error") if event["code"] != "unexpected_message"
    )
    assert socket.close_code == 1009
    assert error["code"] == "too_large"
    assert error["fatal"] is True
    assert f"{limit + 1} bytes" in error["message"]
    if in_stream:
        check_stream(events)


@pytest.mark.parametrize("kind", ["binary", "text"])
async def test_no_message_may_be_larger_than_started_says(launch: Launch, kind: str) -> None:
    """Also a text, whatever `limits.max_text_bytes` is."""
    server = launch({"model": {"type": "standin"}, "limits": {"max_message_bytes": 1_024}})
    async with client(server) as socket:
        await socket.start()
        assert (await socket.next_event())["max_message_bytes"] == 1_024
        for size in (1_024, 1_025):
            if kind == "text":
                await socket.send_text('{"request": "keep_alive"}'.ljust(size))
            else:
                await socket.send(bytes(size), (size,))
        events = await socket.events_until_close()
    assert [event["code"] for event in events_of(events, "error")] == ["too_large"]
    assert socket.close_code == 1009


@pytest.mark.parametrize("limit", [262_144, 1_024])
def test_the_command_splits_chunks_over_the_limit(launch: Launch, limit: int) -> None:
    limits = {"max_message_bytes": limit, "max_messages_per_second": 0}
    server = launch({"model": {"type": "standin"}, "limits": limits})
    recording = require("moonshine-tiny-en") / "beckett.wav"
    address = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
    command = ["-i", str(recording), "-a", address, "-v", "--chunk-size", str(limit + 37_856)]
    run = subprocess.run(
        [sys.executable, "-m", "streamer_client", *command],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert run.returncode == 0, run.stderr
    assert "10.0 s of audio in" in run.stderr
    assert "6 segments" in run.stderr


async def test_a_message_far_over_the_limit_ends_the_connection(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.start()
        await socket.events_until("started")
        await socket.send(bytes(3 * 262_144), (3 * 262_144,))
        await socket.events_until_close()
    assert socket.close_code == 1009


async def test_an_idle_socket_is_finished_and_closed(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}}, env={"STREAMER_LIMITS__IDLE_SECONDS": "0.5"})
    async with client(server) as socket:
        await socket.start()
        await socket.send(beckett().part(0, 1.1))
        events = await socket.events_until_close()
    (error,) = events_of(events, "error")
    check_stream(events)
    assert events[-1]["segments"] == 1
    assert error["code"] == "idle_timeout"
    assert "limits.idle_seconds (0.5)" in error["message"]
    assert socket.close_code == 1000


async def test_a_client_that_waits_for_the_server_is_not_idle(launch: Launch) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 3}}
    server = launch({"model": model, "limits": {"idle_seconds": 0.5}}, ready=False)
    async with client(server) as socket:
        await socket.start()
        assert (await socket.next_event())["type"] == "started"
        assert (await socket.events_until("error"))[-1]["code"] == "idle_timeout"


async def test_keep_alive_keeps_a_socket_alive(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}}, env={"STREAMER_LIMITS__IDLE_SECONDS": "1"})
    async with client(server, "simple") as socket:
        await socket.start()
        for _ in range(8):
            await asyncio.sleep(0.25)
            await socket.send_request("keep_alive")
        await socket.send_request("stop", disconnect=True)
        assert [event["type"] for event in await socket.events_until_close()] == [
            "started",
            "stopped",
        ]


async def test_a_session_that_lasts_too_long_is_finished_and_closed(launch: Launch) -> None:
    limits = {"STREAMER_LIMITS__MAX_SESSION_SECONDS": "1"}
    server = launch({"model": {"type": "standin"}}, env=limits)
    async with client(server) as socket:
        await socket.start()
        await socket.send(beckett().part(0, 1.1))
        events = await socket.events_until_close()
    (error,) = events_of(events, "error")
    check_stream(events)
    assert events[-1]["segments"] == 1
    assert error["code"] == "session_too_long"
    assert "limits.max_session_seconds (1)" in error["message"]
    assert socket.close_code == 1008


# The model


async def test_a_failed_inference_names_its_times_and_the_stream_goes_on(launch: Launch) -> None:
    model = {"type": "standin", "options": {"failure_rate": 0.5, "seed": 1}}
    server = launch({"model": model, "inference": {"workers": 1}})
    events = await stream_audio(server, silence(12), "simple")
    failures = events_of(events, "error")
    assert 0 < len(failures) < 12
    assert events[-1]["segments"] == 12 - len(failures)
    for error in failures:
        assert error["code"] == "inference_failed"
        assert error["message"] == "RuntimeError: the stand-in model was told to fail"
        assert error["fatal"] is False
        assert error["end_time"] - error["start_time"] == 1
        assert error["channel"] == 0


async def test_every_active_gets_its_error_when_the_model_always_fails(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1}}})
    events = await stream_audio(server, beckett())
    assert [event["code"] for event in events_of(events, "error")] == ["inference_failed"] * 6


async def test_a_segment_that_kills_two_workers_is_lost_alone(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"crash_rate": 1}}})
    async with client(server, "simple") as socket:
        await socket.start()
        await socket.send(silence(2).data)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    check_stream(events)
    errors = events_of(events, "error")
    assert [(e["code"], e["start_time"], e["fatal"]) for e in errors] == [
        ("worker_lost", 0, False),
        ("worker_lost", 1, False),
    ]
    assert socket.close_code == 1000


async def test_an_inference_that_takes_too_long_is_given_up_alone(launch: Launch) -> None:
    model = {"type": "standin", "options": {"constant_factor": 100}}
    server = launch({"model": model, "inference": {"timeout_seconds": 0.5, "workers": 1}})
    # A second of audio would take 100 s, the remaining millisecond a tenth of one.
    events = await stream_audio(server, silence(1.001), "simple")
    error, segment = events_of(events, "error", "segment")
    assert error["code"] == "inference_timeout"
    assert (error["start_time"], error["end_time"]) == (0, 1)
    assert "0.5 s" in error["message"]
    assert segment["count"] == 16


# The trace

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
OTHER = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize("given", [TRACE, TRACEPARENT])
async def test_a_stream_belongs_to_the_trace_in_its_start(standin: Server, given: str) -> None:
    async with client(standin, traceparent=f"00-{OTHER}-00f067aa0ba902b7-01") as socket:
        await socket.start(trace_id=given)
        assert (await socket.next_event())["trace_id"] == TRACE


async def test_the_traceparent_header_counts_when_the_start_is_silent(standin: Server) -> None:
    async with client(standin, traceparent=TRACEPARENT) as socket:
        await socket.start()
        assert (await socket.next_event())["trace_id"] == TRACE


@pytest.mark.parametrize(
    "given", ["", "42", "0" * 32, TRACE.upper(), TRACEPARENT + "\r\nINFO forged", "ff" * 10_000]
)
async def test_a_malformed_trace_id_is_warned_about_and_replaced(
    standin: Server, socket: Client, given: str
) -> None:
    before = standin.log_bytes
    await socket.start(trace_id=given[:10_000])
    warning, started = await socket.next_event(), await socket.next_event()
    assert warning["type"] == "warning"
    assert warning["code"] == "bad_trace_id"
    assert len(warning["message"]) < 200
    assert re.fullmatch("[0-9a-f]{32}", started["trace_id"])
    assert started["trace_id"] not in (TRACE, "0" * 32)
    assert "forged" not in standin.log(before)


async def test_a_malformed_traceparent_header_is_warned_about(standin: Server) -> None:
    async with client(standin, traceparent="00-zz") as socket:
        await socket.start()
        events = await socket.events_until("started")
    assert [event["type"] for event in events] == ["warning", "started"]


async def test_an_empty_message_is_no_audio(standin: Server) -> None:
    async with client(standin, "simple") as socket:
        await socket.start(Audio(b""))
        await socket.send_text('{"request": "stop", "disconnect": true}')
        kinds = [event["type"] for event in await socket.events_until_close()]
    assert kinds == ["started", "stopped"]
