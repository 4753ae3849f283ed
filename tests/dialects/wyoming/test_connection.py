"""One connection: back-pressure, floods, what needs no session, and how it ends."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from uvicorn.server import ServerState

from streamer.config.limits import LimitsConfig
from streamer.dialects.wyoming.answers import answer_of
from streamer.dialects.wyoming.codec import Event, encode_event
from streamer.dialects.wyoming.connection import WyomingConnection
from streamer.dialects.wyoming.frames import NO_MORE
from streamer.dialects.wyoming.incoming import MAX_WAITING_BYTES, TURN_EVENTS
from streamer.websocket.asgi import Message, Receive, Scope, Send
from streamer.websocket.signals import NOTICE
from streamer.websocket.turns import ParserTurns
from tools.harness.process import TIMEOUT_S

AUDIO = {"rate": 16_000, "width": 2, "channels": 1}
INFO = encode_event("info", {"asr": []})
CHUNK = encode_event("audio-chunk", AUDIO, bytes(2_048))


class App:
    """Takes messages while it may, and writes the number of those it has taken at the end."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.gone = asyncio.Event()
        self.errors: list[str] = []
        self.without_session = 0
        self.end = False
        self.answer: Callable[[Message], bytes | None] = lambda _: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                await self.go_on.wait()
                if self.end:
                    return
                message = await receive()
                self.received.append(message)
                if message["type"] == "websocket.disconnect":
                    return
                if (answer := self.answer(message)) is not None:
                    await send({"type": "websocket.send", "bytes": answer})
                    await send({"type": "websocket.close"})
                    return
        finally:
            self.gone.set()

    def answer_event(self, event: Event) -> bytes | None:
        self.without_session += 1
        return answer_of(event, INFO)

    @property
    def audio_bytes(self) -> int:
        return sum(len(message.get("bytes") or b"") for message in self.received)

    def notices(self) -> list[str]:
        return [type(m[NOTICE]).__name__ for m in self.received if NOTICE in m]


@contextlib.asynccontextmanager
async def serving(app: App, **limits: Any) -> AsyncIterator[tuple[int, ServerState]]:
    state, turns = ServerState(), ParserTurns()
    server = await asyncio.get_running_loop().create_server(
        lambda: WyomingConnection(
            app,
            app.answer_event,
            app.errors.append,
            LimitsConfig(**limits),
            state,
            turns,
        ),
        "127.0.0.1",
        0,
    )
    async with asyncio.timeout(TIMEOUT_S):
        try:
            yield server.sockets[0].getsockname()[1], state
        finally:
            app.go_on.set()
            server.close()
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.gather(*state.tasks)


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def header(reader: asyncio.StreamReader) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await reader.readline())
    data = await reader.readexactly(found.get("data_length", 0))
    return {**found, "data": json.loads(data or b"{}")}


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 – of objects without an event to wait for
        await asyncio.sleep(0.005)


async def test_describe_and_ping_need_no_session() -> None:
    app = App()
    async with serving(app) as (port, _), connected(port) as (reader, writer):
        for kind in ("describe", "unknown", "ping", "describe"):
            writer.write(encode_event(kind, {"text": "hi"}))
        kinds = [(await header(reader))["type"] for _ in range(3)]
    assert kinds == ["info", "pong", "info"]
    assert app.received == []


async def test_the_first_request_begins_a_session() -> None:
    app = App()
    app.answer = lambda message: b"done" if message.get("bytes") == b"12" else None
    async with serving(app) as (port, state), connected(port) as (reader, writer):
        writer.write(encode_event("ping") + encode_event("transcribe", {"language": "en"}))
        writer.write(encode_event("audio-start", AUDIO))
        writer.write(encode_event("audio-chunk", AUDIO, b"12"))
        assert (await header(reader))["type"] == "pong"
        assert await reader.read() == b"done"
        writer.close()
        await until(lambda: not state.connections)
    kinds = [message["type"] for message in app.received]
    assert kinds == ["websocket.connect"] + ["websocket.receive"] * 4


async def test_a_client_that_goes_on_sending_gets_the_last_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And is cut off if it goes on for too long."""
    monkeypatch.setattr("streamer.dialects.wyoming.outgoing.LINGER_S", 0.5)
    app = App()
    app.answer = lambda message: b"done" if message.get("bytes") else None
    async with serving(app) as (port, state), connected(port) as (reader, writer):
        writer.write(encode_event("audio-start", AUDIO))
        for _ in range(100):
            writer.write(CHUNK)
            await asyncio.sleep(0)
        await app.gone.wait()
        for _ in range(100):
            writer.write(CHUNK)
            await asyncio.sleep(0.001)
        assert await reader.read() == b"done"
        await until(lambda: not state.connections)


async def test_a_client_is_held_back_while_nobody_takes_its_audio() -> None:
    app = App()
    async with serving(app) as (port, state), connected(port) as (_, writer):
        writer.write(encode_event("audio-start", AUDIO))
        await until(lambda: app.received)
        app.go_on.clear()
        (connection,) = state.connections
        sent_bytes = 0
        while writer.transport.get_write_buffer_size() < 1_000_000:
            writer.write(CHUNK)
            sent_bytes += 2_048
            await asyncio.sleep(0)  # so that the other end reads
        await asyncio.sleep(0.1)
        waiting = connection._incoming.waiting_bytes  # type: ignore[union-attr]
        assert waiting < 8 * MAX_WAITING_BYTES
        app.go_on.set()
        await until(lambda: app.audio_bytes == sent_bytes)


async def test_a_client_that_is_reset_while_it_is_held_back_is_noticed() -> None:
    app = App()
    async with serving(app) as (port, state):
        async with connected(port) as (_, writer):
            await held_back(app, state, writer)
            reset(writer)
        await until(lambda: not state.connections)
        app.go_on.set()
        await app.gone.wait()
    assert app.received[-1]["type"] == "websocket.disconnect"


async def test_the_server_may_be_the_first_to_notice_a_reset(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()
    async with serving(app) as (port, state), connected(port) as (_, writer):
        await held_back(app, state, writer)
        reset(writer)
        app.end = True
        app.go_on.set()
        await until(lambda: not state.connections)
    assert caplog.records == []


@pytest.mark.parametrize("held", [False, True])
async def test_a_client_that_closes_its_direction_gets_what_it_waits_for(held: bool) -> None:
    app = App()
    app.answer = lambda message: b"done" if message.get("text") == NO_MORE else None
    async with serving(app) as (port, state), connected(port) as (reader, writer):
        if held:
            await held_back(app, state, writer)
        else:
            writer.write(encode_event("audio-start", AUDIO) + CHUNK)
        writer.write(encode_event("audio-stop"))
        writer.write_eof()
        await asyncio.sleep(1.2 if held else 0)  # the watch looks each second
        app.go_on.set()
        assert await reader.read() == b"done"
        await until(lambda: not state.connections)


async def test_one_that_closes_it_in_a_command_has_left() -> None:
    app = App()
    async with serving(app) as (port, state), connected(port) as (reader, writer):
        writer.write(encode_event("audio-start", AUDIO) + CHUNK)
        writer.write_eof()
        assert await reader.read() == b""
        await until(lambda: not state.connections)
    assert app.received[-1]["type"] == "websocket.disconnect"


async def test_so_may_one_that_has_no_session() -> None:
    async with serving(App()) as (port, state), connected(port) as (reader, writer):
        writer.write(encode_event("describe"))
        writer.write_eof()
        assert (await header(reader))["type"] == "info"
        assert await reader.read() == b""
        await until(lambda: not state.connections)


async def held_back(app: App, state: ServerState, writer: asyncio.StreamWriter) -> None:
    """Send audio that the application does not take, until it is not read any more."""
    writer.write(encode_event("audio-start", AUDIO))
    await until(lambda: app.received)
    app.go_on.clear()
    for _ in range(40):
        writer.write(CHUNK)
    await until(lambda: next(iter(state.connections))._incoming.paused)  # type: ignore[union-attr]


def reset(writer: asyncio.StreamWriter) -> None:
    """Close at once, and tell the other end so."""
    now = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    writer.transport.abort()


async def test_a_flood_of_events_is_read_slowly() -> None:
    app = App()
    async with (
        serving(app, max_messages_per_second=20) as (port, _),
        connected(port) as (_, writer),
    ):
        began_s = asyncio.get_running_loop().time()
        writer.write(encode_event("audio-start", AUDIO) + encode_event("x") * 39)
        await until(lambda: len(app.received) >= 41)
        assert asyncio.get_running_loop().time() - began_s > 0.5
    assert app.notices() == ["SlowedNotice"]


async def test_a_flood_does_not_hold_up_a_neighbour() -> None:
    """However much of it is there already: connections take turns."""
    app = App()
    async with (
        serving(app, max_messages_per_second=0) as (port, _),
        connected(port) as (_, flood),
        connected(port) as (reader, writer),
    ):
        flood.write(encode_event("x") * 50_000)
        await until(lambda: app.without_session)
        writer.write(encode_event("ping"))
        before = app.without_session
        await header(reader)
        between = app.without_session - before
        await until(lambda: app.without_session == 50_001)
    assert between < 50 * TURN_EVENTS


async def test_large_events_count_as_several() -> None:
    app = App()
    limit = {"max_messages_per_second": 20}
    async with serving(app, **limit) as (port, _), connected(port) as (_, writer):
        writer.write(encode_event("audio-start", AUDIO))
        writer.write(encode_event("audio-chunk", AUDIO, bytes(200_000)) * 5)
        await until(lambda: app.audio_bytes == 1_000_000)
        assert app.notices() == []
        writer.write(encode_event("transcribe", {"language": "x" * 100_000}))
        writer.write(encode_event("audio-stop"))
        await until(app.notices)
    assert app.notices() == ["SlowedNotice"]


async def test_they_do_so_without_a_session_too() -> None:
    app = App()
    async with (
        serving(app, max_messages_per_second=20) as (port, _),
        connected(port) as (reader, writer),
    ):
        began_s = asyncio.get_running_loop().time()
        line = b'{"type": "x", "data": {"a": "' + b"x" * 60_000 + b'"}}\n'
        writer.write(line * 3 + encode_event("ping"))
        assert (await header(reader))["type"] == "pong"
        assert asyncio.get_running_loop().time() - began_s > 0.5


@pytest.mark.parametrize(
    ("garbage", "notice"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "MalformedNotice"),
        (b'{"type": "audio-chunk", "payload_length": 300000}\n', "TooLargeNotice"),
        (b"x" * 300_000, "TooLargeNotice"),
    ],
)
async def test_garbage_within_a_session_is_reported_to_it_once(garbage: bytes, notice: str) -> None:
    app = App()
    async with serving(app) as (port, _), connected(port) as (_, writer):
        writer.write(encode_event("audio-start", AUDIO) + garbage)
        await until(app.notices)
        writer.write(CHUNK * 200)
        await asyncio.sleep(0.05)
    await app.gone.wait()
    assert app.notices() == [notice]
    assert app.received[-1]["type"] == "websocket.disconnect"
    assert app.audio_bytes == 0


async def test_garbage_before_one_is_answered_and_the_connection_ends() -> None:
    app = App()
    async with serving(app) as (port, _), connected(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        answer = await header(reader)
        assert await reader.read() == b""
    assert (answer["type"], answer["data"]["code"]) == ("error", "bad_message")
    assert app.errors == ["bad_message"]
    assert app.received == []


@pytest.mark.parametrize(
    "beginning",
    [
        b"x" * 65_537,
        b'{"type": "ping", "data_length": 65537}\n',
        b'{"type": "x", "payload_length": 65537}\n',
    ],
)
async def test_without_a_session_an_event_is_small(beginning: bytes) -> None:
    """There is no limit on how many clients have none."""
    app = App()
    async with serving(app) as (port, _), connected(port) as (reader, writer):
        writer.write(beginning)
        assert (await header(reader))["data"]["code"] == "too_large"
    assert app.received == []


@pytest.mark.parametrize("kind", ["transcribe", "audio-chunk"])
async def test_what_is_large_waits_for_a_session(kind: str) -> None:
    app = App()
    async with serving(app) as (port, _), connected(port) as (_, writer):
        event = encode_event(kind, {**AUDIO, "language": "x" * 200_000}, b"12")
        writer.write(event[:200])
        await until(lambda: app.received)
        writer.write(event[200:])
        await until(lambda: len(app.received) == (2 if kind == "transcribe" else 3))


async def test_a_client_that_does_not_read_its_answers_is_cut_off() -> None:
    app = App()
    async with (
        serving(app, send_timeout_seconds=0.1) as (port, state),
        connected(port) as (_, writer),
    ):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        while state.connections or not app.without_session:
            if writer.transport.get_write_buffer_size() < 1_000_000:
                writer.write(encode_event("ping", {"text": "x" * 1_000}) * 100)
            await asyncio.sleep(0.001)


async def test_a_connection_without_events_ends() -> None:
    """Whatever it sends: only whole events count."""
    async with serving(App(), idle_seconds=0.1) as (port, _), connected(port) as (reader, writer):
        writer.write(b'{"type"')
        assert await reader.read() == b""


async def test_the_server_ends() -> None:
    async with serving(App()) as (port, state), connected(port) as (reader, writer):
        writer.write(encode_event("ping"))
        await header(reader)
        for connection in list(state.connections):
            connection.shutdown()
        assert await reader.read() == b""


async def test_a_defect_of_the_application_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: Message) -> None:
        raise LookupError("a defect")

    app = App()
    app.answer = fail
    async with serving(app) as (port, _), connected(port) as (reader, writer):
        writer.write(encode_event("transcribe"))
        assert await reader.read() == b""
    assert [record.message for record in caplog.records] == ["the application failed"]
