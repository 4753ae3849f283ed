"""The library against a scripted server on a real socket."""

from __future__ import annotations

import array
import asyncio
import io
import mmap
import re
import socket
import struct
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import streamer_client
from streamer_client import (
    CannotConnect,
    ConnectionLost,
    Event,
    InvalidAddress,
    ServerError,
    ServerGoingAway,
    StreamEnded,
    Unauthorized,
    connect,
    transcribe,
)

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from tests.client.conftest import Peer, ServeScript
    from tests.end_to_end.conftest import Launch

SECOND = bytes(32_000)
SPEECH = struct.pack("<8000h", *range(8000))


async def hear_and_answer(peer: Peer) -> None:
    await peer.begin()
    await peer.read_to_stop()
    await peer.segment(0.1, 0.9, text="hello")
    await peer.finish()


async def collect(stream: streamer_client.Stream) -> tuple[list[Event], StreamEnded | None]:
    events: list[Event] = []
    try:
        async for event in stream:
            events.append(event)
    except StreamEnded as ended:
        return events, ended
    return events, None


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


async def test_a_stream_from_start_to_stopped(serve_script: ServeScript) -> None:
    server = await serve_script(hear_and_answer)
    async with connect(server.url) as stream:
        await stream.send(SECOND[:7])
        await stream.send(memoryview(SECOND[7:]))
        await stream.flush()
        await stream.keep_alive()
        await stream.stop()
        events, ended = await collect(stream)
    assert ended is None
    assert types(events) == ["started", "segment", "stopped"]
    said = events[1]
    assert (said.text, said.start_time, said.end_time, said.channel) == ("hello", 0.1, 0.9, 0)
    assert said.output == {"text": "hello"}
    assert [event.raw for event in events] == server.peer.sent
    assert stream.sent_s == 1.0
    assert server.peer.messages == [7, 31_993]
    assert server.peer.requests == ["flush", "keep_alive", "stop"]


BUFFERS: dict[str, Any] = {
    "bytes": SPEECH,
    "bytearray": bytearray(SPEECH),
    "memoryview": memoryview(SPEECH),
    "memoryview of integers": memoryview(SPEECH).cast("h"),
    "every second byte": memoryview(bytes(b for byte in SPEECH for b in (byte, 0)))[::2],
    "array": array.array("h", range(8000)),
    "numpy": np.arange(8000, dtype="<i2"),
    "numpy, frames and channels": np.arange(8000, dtype="<i2").reshape(4000, 2),
    "numpy, channels and frames": np.asfortranarray(np.arange(8000, dtype="<i2").reshape(4000, 2)),
    "numpy, every second": np.repeat(np.arange(8000, dtype="<i2"), 2)[::2],
    "numpy, read only": np.frombuffer(SPEECH, "<i2"),
    "mmap": mmap.mmap(-1, len(SPEECH)),
}


@pytest.mark.parametrize("kind", BUFFERS)
async def test_any_buffer_is_sent_as_its_bytes(serve_script: ServeScript, kind: str) -> None:
    audio = BUFFERS[kind]
    if isinstance(audio, mmap.mmap):
        audio[:] = SPEECH
    server = await serve_script(hear_and_answer)
    async with connect(server.url) as stream:
        await stream.send(audio)
        assert stream.sent_s == 0.5
        await stream.stop()
        await collect(stream)
    assert server.peer.audio == SPEECH


OTHER_ELEMENTS: dict[str, tuple[dict[str, Any], Any, str]] = {
    "floats for integers": (
        {},
        np.zeros(9, "f4"),
        "audio is an array of 32-bit floats, and the stream was opened for 16-bit integers: "
        "convert it, or open the stream with bit_depth=32, is_float=True",
    ),
    "doubles for integers": ({}, np.zeros((9, 1)), "an array of 64-bit floats, and the stream"),
    "integers for floats": (
        {"bit_depth": 32, "is_float": True},
        np.zeros(9, "i4"),
        "32-bit integers, and the stream was opened for 32-bit floats",
    ),
    "long for short": ({}, array.array("i", [0]), "32-bit integers, and the stream was opened for"),
}


@pytest.mark.parametrize("kind", OTHER_ELEMENTS)
async def test_an_array_of_other_elements_is_a_type_error(
    serve_script: ServeScript, kind: str
) -> None:
    """Sent as it is in memory, it would be noise."""
    settings, wrong, says = OTHER_ELEMENTS[kind]
    server = await serve_script(hear_and_answer)
    async with connect(server.url, **settings) as stream:
        with pytest.raises(TypeError) as refused:
            await stream.send(wrong)
        assert says in str(refused.value)
        assert stream.sent_s == 0
        await stream.send(bytes(8))
        await stream.stop()
        await collect(stream)
    assert server.peer.audio == bytes(8)


@pytest.mark.parametrize("empty", [b"", bytearray(), array.array("h"), np.empty((0, 2), "<i2")])
async def test_nothing_may_be_sent(serve_script: ServeScript, empty: Any) -> None:
    server = await serve_script(hear_and_answer)
    async with connect(server.url) as stream:
        await stream.send(empty)
        assert stream.sent_s == 0
        await stream.stop()
        _, ended = await collect(stream)
    assert ended is None
    assert server.peer.audio == b""


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        "audio",
        [0, 1],
        (b"a", b"b"),
        iter([b"a"]),
        io.BytesIO(SPEECH),
        Path("speech.raw"),
        {},
        object(),
        np.array([None]),
        np.array(["2000-01-01"], "M8[D]"),
    ],
    ids=lambda wrong: type(wrong).__name__,
)
async def test_what_is_no_buffer_is_a_type_error(serve_script: ServeScript, wrong: Any) -> None:
    server = await serve_script(hear_and_answer)
    async with connect(server.url) as stream:
        with pytest.raises(TypeError, match=f"'{type(wrong).__name__}'; allowed: bytes, byte"):
            await stream.send(wrong)
        await stream.send(SPEECH)
        await stream.stop()
        _, ended = await collect(stream)
    assert ended is None, "and the stream goes on"
    assert server.peer.audio == SPEECH


@pytest.mark.parametrize("limit", [None, 1_024, 10_001])
async def test_audio_that_is_longer_than_a_message_may_be(
    serve_script: ServeScript, limit: int | None
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin(**({} if limit is None else {"max_message_bytes": limit}))
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    audio, largest = SPEECH * 40, limit or 262_144
    async with connect(server.url) as stream:
        await stream.send(audio)
        await stream.stop()
        _, ended = await collect(stream)
    assert ended is None
    assert server.peer.audio == audio
    assert max(server.peer.messages) == largest
    assert len(server.peer.messages) == -(-len(audio) // largest)


@pytest.mark.parametrize("limit", [1_024, 262_144])
async def test_a_real_server_takes_audio_of_any_length(launch: Launch, limit: int) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"max_message_bytes": limit}})
    async with connect(f"ws://127.0.0.1:{server.port}/api/v1/simple") as stream:
        await stream.send(SECOND * 20)
        await stream.stop()
        events, ended = await collect(stream)
    assert ended is None
    assert events[-1].fields["audio_seconds"] == 20


async def test_audio_after_stop_is_an_error(serve_script: ServeScript) -> None:
    server = await serve_script(hear_and_answer)
    async with connect(server.url) as stream:
        await stream.send(SPEECH)
        await stream.stop()
        with pytest.raises(RuntimeError, match=r"before stop\(\)"):
            await stream.send(SPEECH)
        await collect(stream)
    assert server.peer.audio == SPEECH


async def test_the_start_message_says_what_was_asked(serve_script: ServeScript) -> None:
    server = await serve_script(hear_and_answer)
    async with connect(
        server.url,
        sample_rate=8000,
        channels=2,
        bit_depth=8,
        encoding="mulaw",
        interim_results=True,
        vad={"threshold": 0.6},
        model="other",
        eager=True,
        token="secret",
        trace_id="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    ) as stream:
        await stream.stop()
        await collect(stream)
    assert server.peer.start == {
        "request": "start",
        "trace_id": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "format": {
            "channels": 2,
            "sample_rate": 8000,
            "bit_depth": 8,
            "is_float": False,
            "encoding": "mulaw",
        },
        "interim_results": True,
        "vad": {"threshold": 0.6},
        "model": "other",
        "eager": True,
    }
    assert server.peer.headers["Authorization"] == "Bearer secret"


async def test_a_new_trace_begins_when_none_is_given(serve_script: ServeScript) -> None:
    server = await serve_script(hear_and_answer)
    async with connect(server.url):
        pass
    assert re.fullmatch(r"[0-9a-f]{32}", server.peer.start["trace_id"])
    assert "Authorization" not in server.peer.headers


async def test_events_come_while_audio_is_sent(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        await peer.send("active", time=0.0, channel=0)
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    async with connect(server.url) as stream:
        await stream.send(SECOND)
        assert [(await anext(stream)).type for _ in range(2)] == ["started", "active"]
        await stream.send(SECOND)
        await stream.stop()
        events, _ = await collect(stream)
    assert types(events) == ["stopped"]


async def test_sending_everything_before_reading_does_not_deadlock(
    serve_script: ServeScript,
) -> None:
    """A server that answers every message and reads the next one only then."""

    async def script(peer: Peer) -> None:
        await peer.begin()
        for count in range(1, 201):
            await peer.read_audio(count * len(SECOND))
            await peer.send("warning", code="filler", message="x" * 20_000)
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    async with connect(server.url) as stream:
        for _ in range(200):
            await stream.send(SECOND)
        await stream.stop()
        events, ended = await collect(stream)
    assert ended is None
    assert len(events) == 202


async def send_without_end(stream: streamer_client.Stream, limit: asyncio.Timeout) -> None:
    async with limit:
        while True:
            await stream.send(SECOND * 30)


async def test_send_waits_for_a_server_that_does_not_read(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        peer.connection.transport.pause_reading()
        await peer.connection.wait_closed()

    server = await serve_script(script)
    async with connect(server.url) as stream:
        blocked = asyncio.timeout(1)
        with pytest.raises(TimeoutError):
            await send_without_end(stream, blocked)
        assert blocked.expired()
        assert stream.sent_s < 3600
        began_s = asyncio.get_running_loop().time()
    # Leaving with unsent audio must not wait for the server for ever either.
    assert asyncio.get_running_loop().time() - began_s < 10
    server.peer.connection.transport.abort()


async def test_a_nonfatal_error_is_an_event(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.send("error", code="inference_failed", message="boom", fatal=False, channel=0)
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    async with connect(server.url) as stream:
        await stream.stop()
        events, ended = await collect(stream)
    assert ended is None
    assert (events[1].code, events[1].message, events[1].fatal) == (
        "inference_failed",
        "boom",
        False,
    )


async def test_nothing_sent_before_a_fatal_error_is_lost(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        await peer.send("error", code="idle_timeout", message="nothing for 30 s", fatal=True)
        await peer.segment(0.0, 1.0, text="the tail")
        await peer.finish()

    server = await serve_script(script)
    async with connect(server.url) as stream:
        await stream.send(SECOND)
        events, ended = await collect(stream)
    assert types(events) == ["started", "error", "segment", "stopped"]
    assert isinstance(ended, ServerError)
    assert (ended.code, ended.message) == ("idle_timeout", "nothing for 30 s")


@pytest.mark.parametrize(
    ("close_code", "reason", "expected"),
    [
        (1008, "unauthorized", Unauthorized),
        (1008, "too long", ServerError),
        (1009, "", ServerError),
        (1011, "", ConnectionLost),
        (1012, "", ServerGoingAway),
        (1012, "the server is shutting down", ServerGoingAway),
        (1013, "", ServerError),
        (1000, "", ConnectionLost),
        (4000, "why not", ConnectionLost),
        (None, "", ConnectionLost),
    ],
)
async def test_how_a_connection_closes_decides_the_error(
    serve_script: ServeScript, close_code: int | None, reason: str, expected: type[StreamEnded]
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        await peer.segment(0.0, 1.0, text="before")
        if close_code is None:
            peer.connection.transport.abort()
        else:
            await peer.connection.close(close_code, reason)

    server = await serve_script(script)
    async with connect(server.url) as stream:
        await stream.send(SECOND)
        events, ended = await collect(stream)
        assert types(events)[:1] == ["started"]
        if close_code is not None:  # an aborted connection may take unsent events with it
            assert types(events) == ["started", "segment"]
        assert type(ended) is expected
        with pytest.raises(expected):
            await stream.send(SECOND)
        with pytest.raises(expected):
            await stream.stop()


async def test_going_away_says_how_much_was_received(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.send("going_away", message="restarting", deadline_seconds=1)
        await peer.read_audio(32_000)
        await peer.send("stopped", audio_seconds=1.0, segments=0, session_id="s1")
        await peer.connection.close(1012)

    server = await serve_script(script)
    async with connect(server.url) as stream:
        await stream.send(SECOND)
        events, ended = await collect(stream)
    assert types(events) == ["started", "going_away", "stopped"]
    assert isinstance(ended, ServerGoingAway)
    assert str(ended) == "restarting"
    assert ended.received_s == 1.0


@pytest.mark.parametrize(("received_s", "complete"), [(2.0, True), (1.0, False)])
async def test_a_stream_finished_while_the_server_drains(
    serve_script: ServeScript, received_s: float, complete: bool
) -> None:
    """The server's own stop may cross ours: only its count says whether it had everything."""

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.send("going_away", message="restarting", deadline_seconds=1)
        await peer.read_to_stop()
        await peer.send("stopped", audio_seconds=received_s, segments=0, session_id="s1")
        await peer.connection.close(1012)

    server = await serve_script(script)
    async with connect(server.url) as stream:
        await stream.send(SECOND * 2)
        await stream.stop()
        _, ended = await collect(stream)
    assert (ended is None) is complete


async def test_settings_the_server_refuses(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_start()
        await peer.send("error", code="bad_format", message="channels: 99 > 8", fatal=False)
        await peer.connection.wait_closed()

    server = await serve_script(script)
    with pytest.raises(ServerError, match="bad_format: channels: 99 > 8"):
        async with connect(server.url, channels=99):
            pass


async def test_a_token_refused_after_the_upgrade(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_start()
        await peer.send("error", code="unauthorized", message="wrong token", fatal=True)
        await peer.connection.close(1008)

    server = await serve_script(script)
    with pytest.raises(Unauthorized, match="wrong token"):
        async with connect(server.url, token="x"):
            pass


async def test_a_warning_before_started_is_kept(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.send("warning", code="bad_trace_id", message="not a traceparent")
        await hear_and_answer(peer)

    server = await serve_script(script)
    async with connect(server.url) as stream:
        await stream.stop()
        events, _ = await collect(stream)
    assert types(events) == ["warning", "started", "segment", "stopped"]


@pytest.mark.parametrize(
    ("status", "path", "expected"),
    [
        (401, "/api/v1/segmented", Unauthorized),
        (403, "/api/v1/segmented", Unauthorized),
        (403, "/elsewhere", CannotConnect),
        (404, "/elsewhere", CannotConnect),
        (503, "/api/v1/simple", CannotConnect),
        (200, "/api/v1/simple", CannotConnect),
    ],
)
async def test_a_refused_upgrade(
    serve_script: ServeScript, status: int, path: str, expected: type[Exception]
) -> None:
    def gate(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), "no")
        response.headers["Retry-After"] = "7"
        return response

    server = await serve_script(hear_and_answer, gate)
    with pytest.raises(expected) as caught:
        async with connect(f"ws://127.0.0.1:{server.port}{path}"):
            pass
    if isinstance(caught.value, CannotConnect):
        retry_after_s = 7.0 if status in (200, 503) else None
        assert (caught.value.status, caught.value.retry_after_s) == (status, retry_after_s)


@pytest.mark.parametrize("url", ["http://x/", "localhost:8080", "ws://", "ws://h:x/", "", "ws://["])
async def test_an_address_that_is_no_websocket_url(url: str) -> None:
    with pytest.raises(InvalidAddress, match="not a WebSocket address"):
        async with connect(url):
            pass


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(CannotConnect, match=f"no server is listening at {re.escape(url)}"):
            async with connect(url):
                pass


async def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(CannotConnect, match=r"no answer from ws://.* within 0\.2 s"):
            async with connect(f"ws://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.2):
                pass


async def test_a_server_that_never_starts_the_stream(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_start()
        await peer.connection.wait_closed()

    server = await serve_script(script)
    with pytest.raises(CannotConnect, match=r"did not start within 0\.2 s"):
        async with connect(server.url, timeout_s=0.2):
            pass


@pytest.mark.parametrize(
    "greeting", [b"220 mail.example.com ESMTP\r\n\r\n", b"HTTP/1.0 404 File not found\r\n\r\n"]
)
async def test_a_server_of_another_kind(greeting: bytes) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(CannotConnect, match="is not a Streamer server"):
            async with connect(f"ws://127.0.0.1:{port}/"):
                pass


async def test_what_is_no_event_ends_the_stream(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.connection.send("hello?")
        await peer.connection.wait_closed()

    server = await serve_script(script)
    async with connect(server.url) as stream:
        _, ended = await collect(stream)
    assert isinstance(ended, ServerError)
    assert ended.code == "bad_reply"


async def test_transcribe_sends_a_whole_file(serve_script: ServeScript, speech: Path) -> None:
    server = await serve_script(hear_and_answer)
    events = [event async for event in transcribe(speech, server.url)]
    assert types(events) == ["started", "segment", "stopped"]
    assert bytes(server.peer.audio) == SPEECH
    assert server.peer.messages == [8000, 8000]


def shorten(path: Path, by_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:-by_bytes])


async def test_transcribe_logs_what_is_missing_of_a_file(
    serve_script: ServeScript, speech: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shorten(speech, 8000)
    server = await serve_script(hear_and_answer)
    assert [event.type async for event in transcribe(speech, server.url)][-1] == "stopped"
    assert bytes(server.peer.audio) == SPEECH[:-8000]
    (record,) = caplog.records
    assert record.name == "streamer_client"
    assert record.getMessage().startswith(f"{speech}: the WAV file ends early: ")


async def test_transcribe_yields_what_came_before_the_end(
    serve_script: ServeScript, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        await peer.segment(0.0, 0.1, text="before")
        await peer.connection.close(1011)

    server = await serve_script(script)
    events: list[Event] = []

    async def consume() -> None:
        async for event in transcribe(speech, server.url):
            events.append(event)

    with pytest.raises(ConnectionLost):
        await consume()
    assert types(events) == ["started", "segment"]


async def test_leaving_transcribe_early_closes_the_connection(
    serve_script: ServeScript, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.connection.wait_closed()

    server = await serve_script(script)
    events = transcribe(speech, server.url)
    async for event in events:
        assert event.type == "started"
        break
    await events.aclose()
    await server.peer.connection.wait_closed()


LEAVE_EARLY = """
import asyncio, sys
from streamer_client import transcribe

async def first(path, url, kind):
    async for event in transcribe(path, url):
        if event.type == kind:
            return event.type

async def main():
    print(await first(*sys.argv[1:]))

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["started", "segment"])
async def test_a_program_may_end_after_leaving_transcribe_early(
    serve_script: ServeScript, speech: Path, kind: str
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        await peer.segment(0.0, 0.1, text="one")
        await peer.connection.wait_closed()

    server = await serve_script(script)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "default", "-c", LEAVE_EARLY, str(speech), server.url, kind),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert await program.communicate() == (f"{kind}\n".encode(), b"")


async def test_a_loop_left_early_closes_the_connection_in_order(
    serve_script: ServeScript, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.connection.wait_closed()

    server = await serve_script(script)
    async for event in transcribe(speech, server.url):
        assert event.type == "started"
        break
    await server.peer.connection.wait_closed()
    assert server.peer.connection.close_code == 1000


def test_importing_the_package_is_light() -> None:
    heavy = ("rich", "av", "numpy", "argparse", "msgspec", "streamer")
    code = f"import sys, streamer_client; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (loaded.stdout.strip(), loaded.stderr) == ("[]", "")


def test_what_the_package_exports_exists() -> None:
    assert all(hasattr(streamer_client, name) for name in streamer_client.__all__)


ENDS = [
    ("bad_audio", "no container"),
    ("overloaded", "64 streams"),
    ("internal_error", "no process"),
]


async def test_bytes_of_a_container_are_sent_as_they_are(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await peer.send("stopped", audio_seconds=2.5, segments=0, session_id="s1")
        await peer.connection.close(1000)

    server = await serve_script(script)
    async with connect(server.url, encoding="auto") as stream:
        await stream.send(b"OggS")
        await stream.send(b"and more")
        assert stream.sent_s == 0.0, "only the server knows"
        await stream.stop()
        events, ended = await collect(stream)
    assert ended is None
    assert events[-1].type == "stopped"
    assert server.peer.start["format"] == {"channels": 1, "encoding": "auto"}
    assert server.peer.audio == b"OggSand more"


@pytest.mark.parametrize(("code", "message"), ENDS)
async def test_a_stream_that_the_server_ends_with_an_error(
    serve_script: ServeScript, code: str, message: str
) -> None:
    """The connection stays open, so nothing but these events shows it."""

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        await peer.segment(0.0, 0.1, text="before")
        await peer.send("error", code=code, message=message, fatal=False)
        await peer.send("stopped", audio_seconds=0.1, segments=1, session_id="s1")
        await peer.connection.wait_closed()

    server = await serve_script(script)
    async with connect(server.url, encoding="auto") as stream:
        await stream.send(SECOND)
        events, ended = await collect(stream)
    assert [event.type for event in events] == ["started", "segment", "error", "stopped"]
    assert isinstance(ended, ServerError)
    assert (ended.code, message in str(ended)) == (code, True)


async def test_a_stream_that_has_ended_before_its_stop(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await peer.send("error", code="bad_audio", message="no container", fatal=False)
        await peer.send("stopped", audio_seconds=0.0, segments=0, session_id="s1")
        await peer.connection.close(1000)

    server = await serve_script(script)
    async with connect(server.url, encoding="auto") as stream:
        await stream.send(SECOND)
        await stream.stop()
        events, ended = await collect(stream)
    assert ended is None, "an error that is not fatal is an event like any other"
    assert [event.type for event in events] == ["started", "error", "stopped"]


async def test_the_error_of_a_segment_ends_no_stream(serve_script: ServeScript) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        fields = {"channel": 0, "start_time": 0.0, "end_time": 0.1, "fatal": False}
        await peer.send("error", code="internal_error", message="of a segment", **fields)
        await peer.send("stopped", audio_seconds=0.1, segments=1, session_id="s1")
        await peer.connection.close(1001)

    server = await serve_script(script)
    async with connect(server.url) as stream:
        events, ended = await collect(stream)
    assert events[-1].type == "stopped"
    assert isinstance(ended, ConnectionLost), "what ends it is the connection"
