"""How a connection ends, by either side: codes and reasons arrive, and nothing stays."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streamer.config.limits import LimitsConfig
from streamer.memory import LightEvent
from streamer.websocket import writing
from streamer.websocket.connection import websocket_class
from streamer.websocket.signals import TooLargeNotice, gone_of, notice_of
from tests.websocket.in_loop import serving
from tests.websocket.in_memory import Wire, connected, until
from tools.harness.raw import BINARY, CLOSE, PING, PONG, TEXT, close_code, frame, parse_frames

OURS = websocket_class(LimitsConfig())


class Receiving:
    """Accepts, receives until the end, and then once again."""

    def __init__(self, close: Message | None = None) -> None:
        self.received: list[Message] = []
        self.gone = LightEvent()
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.gone = gone_of(scope)
        await receive()
        await send({"type": "websocket.accept"})
        if self._close is not None:
            await send({"type": "websocket.close", **self._close})
        while (message := await receive())["type"] == "websocket.receive":
            self.received.append(message)
        self.received += [message, await receive()]


def end(code: int, reason: str = "") -> list[Message]:
    return [{"type": "websocket.disconnect", "code": code, "reason": reason}] * 2


async def opened(app: Any, **settings: Any) -> Wire:
    _, wire = connected(app, **settings)
    await until(lambda: b"\r\n\r\n" in wire.written)
    await asyncio.sleep(0)
    return wire


def sent_on(wire: Wire) -> bytes:
    return wire.written.partition(b"\r\n\r\n")[2]


# The client closes


@pytest.mark.parametrize(
    ("payload", "code", "reason"),
    [
        (b"\x03\xe8", 1000, ""),
        ((4_321).to_bytes(2) + b"gut", 4_321, "gut"),
        (b"", 1005, ""),
    ],
)
async def test_the_clients_code_and_reason_arrive_and_are_answered(
    payload: bytes, code: int, reason: str
) -> None:
    app = Receiving()
    wire = await opened(app)
    wire.arrive(frame(BINARY, b"x") + frame(CLOSE, payload))
    assert parse_frames(sent_on(wire)) == [(CLOSE, payload)]
    assert wire.closed
    await until(lambda: len(app.received) == 3)
    assert app.received[1:] == end(code, reason)
    assert app.gone.is_set()


async def test_a_close_in_the_middle_of_a_message_is_answered() -> None:
    app = Receiving()
    wire = await opened(app)
    wire.arrive(frame(BINARY, b"x", flags=0) + frame(CLOSE, b"\x03\xe9"))
    assert close_code(sent_on(wire)) == 1001
    await until(lambda: app.received)
    assert app.received == end(1001)


@pytest.mark.parametrize("how", ["end of file", "lost"])
async def test_a_connection_that_ends_without_a_close_frame(how: str) -> None:
    app = Receiving()
    connection, wire = connected(app)
    await until(lambda: b"101" in wire.written)
    if how == "lost":
        wire.abort()
    else:
        connection.eof_received()
    await until(lambda: app.received)
    assert app.received == end(1006)
    assert app.gone.is_set() == (how == "lost")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(3), 1002),
        (b"\x82\x01x", 1002),
        (frame(CLOSE, b"\x00\x01"), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"\xc3", flags=0) + frame(0, b"("), 1007),
    ],
)
async def test_what_is_no_frame_or_no_text_ends_the_connection(data: bytes, code: int) -> None:
    app = Receiving()
    wire = await opened(app)
    wire.arrive(frame(TEXT, b"before") + data + frame(BINARY, b"after"))
    assert close_code(sent_on(wire)) == code
    assert wire.closed
    await until(lambda: len(app.received) == 3)
    assert app.received[0]["text"] == "before"
    assert app.received[-1]["code"] == code


async def test_text_may_be_cut_within_a_character() -> None:
    app = Receiving()
    wire = await opened(app)
    wire.arrive(frame(TEXT, b"\xc3", flags=0) + frame(0, b"\xbc"))
    await until(lambda: app.received)
    assert app.received[0]["text"] == "ü"
    wire.abort()
    await until(lambda: len(app.received) == 3)


# The application closes


async def client_of(app: Any) -> ClientConnection:
    async with (
        serving(app, OURS, lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}/") as client,
    ):
        with pytest.raises(ConnectionClosed):
            await client.recv()
    return client


@pytest.mark.parametrize(
    ("close", "code", "reason"),
    [
        ({"code": 4_400, "reason": "begin again, ü"}, 4_400, "begin again, ü"),
        ({"code": 1013}, 1013, ""),
        ({"reason": None}, 1000, ""),
    ],
)
async def test_the_applications_code_and_reason_arrive(
    close: Message, code: int, reason: str
) -> None:
    app = Receiving(close)
    client = await client_of(app)
    assert (client.close_code, client.close_reason) == (code, reason)
    assert app.received == end(code, reason)


async def test_pings_are_answered_until_the_client_closes_too() -> None:
    """RFC 6455, section 5.5.2; messages are not received any more."""
    app = Receiving({"code": 1000})
    wire = await opened(app)
    await until(lambda: app.received)
    wire.arrive(frame(BINARY, b"late") + frame(PING, b"p"))
    assert parse_frames(sent_on(wire)) == [(CLOSE, b"\x03\xe8"), (PONG, b"p")]
    assert not wire.closed
    wire.arrive(frame(CLOSE, b"\x03\xe8"))
    await until(lambda: wire.closed)
    assert not wire.aborted
    assert len(parse_frames(sent_on(wire))) == 2
    assert app.received == end(1000)


async def test_messages_that_are_not_taken_do_not_hide_the_clients_close() -> None:
    """Nothing was read any more, because they were not taken; the close frame is behind them."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await close.wait()
        await send({"type": "websocket.close"})

    close = asyncio.Event()
    wire = await opened(app)
    for _ in range(3):
        wire.arrive(frame(BINARY, bytes(5_000)))
    wire.arrive(frame(CLOSE, b"\x03\xe8"))
    assert wire.reading_paused
    assert sent_on(wire) == b""
    close.set()
    await until(lambda: wire.closed)
    assert not wire.aborted
    assert parse_frames(sent_on(wire)) == [(CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("close_first", [False, True])
async def test_after_input_that_is_discarded_the_end_of_file_is_awaited(close_first: bool) -> None:
    """The client's close frame is discarded with it, so only the end of file can follow."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if not close_first:
            notices.append(notice_of(await receive()))
            await more.wait()
            await send({"type": "websocket.send", "text": "result"})
        await send({"type": "websocket.close", "code": 1009})
        notices.append((await receive())["type"])

    notices, more = list[object](), asyncio.Event()
    connection, wire = connected(app, ws_max_size=100)
    await until(lambda: b"\r\n\r\n" in wire.written)
    if close_first:
        await until(lambda: sent_on(wire))
    wire.arrive(frame(BINARY, bytes(101)) + frame(PING, b"p"))
    if not close_first:
        await until(lambda: notices)
        wire.arrive(frame(BINARY, bytes(102)))
        await asyncio.sleep(0)
        more.set()
    await until(lambda: wire.half_closed)
    wire.arrive(bytes(100_000) + frame(CLOSE, b"\x03\xe8"))
    assert not wire.closed
    results = [] if close_first else [(TEXT, b"result")]
    assert parse_frames(sent_on(wire)) == [*results, (CLOSE, (1009).to_bytes(2))]
    notice = "the message has 101 bytes; allowed: limits.max_message_bytes, 100"
    assert notices == ([] if close_first else [TooLargeNotice(notice)]) + ["websocket.disconnect"]
    assert connection.eof_received() is None  # type: ignore[func-returns-value]
    wire.close()  # as a transport does after that


@pytest.mark.parametrize("wrong", [{"code": 1005}, {"reason": "x" * 124}])
async def test_a_close_that_cannot_be_sent_is_the_applications_mistake(wrong: Message) -> None:
    client = await client_of(Receiving(wrong))
    assert client.close_code == 1011


async def test_a_client_that_does_not_answer_the_close_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "LINGER_S", 0.05)
    wire = await opened(Receiving({"code": 1000}))
    assert not wire.closed
    async with asyncio.timeout(10):
        while not wire.aborted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# The server ends


async def test_a_server_that_ends_closes_with_1012() -> None:
    app = Receiving()
    async with serving(app, OURS, lifespan="off") as port:
        client = await connect(f"ws://127.0.0.1:{port}/")
    await client.wait_closed()
    assert client.close_code == 1012
    assert app.received == end(1012)
    assert app.gone.is_set()


@pytest.mark.parametrize("refusing", [False, True])
async def test_a_server_that_ends_refuses_who_is_not_accepted_yet(refusing: bool) -> None:
    """By 503: our client then comes again, as with any server that is busy."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if refusing:
            await send({"type": "websocket.http.response.start", "status": 401})
        begun.set()
        received.append(await receive())

    begun, received = asyncio.Event(), list[Message]()
    async with asyncio.TaskGroup() as tasks, serving(app, OURS, lifespan="off") as port:
        connecting = tasks.create_task(_refused(port))
        await begun.wait()
    assert connecting.result() == 503
    assert received[0]["type"] == "websocket.disconnect"


async def _refused(port: int) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://127.0.0.1:{port}/")
    return refusal.value.response.status_code


async def test_a_server_may_end_while_a_connection_is_closing() -> None:
    """uvicorn's own class fails when the client was the first to close."""
    app = Receiving()
    connection, wire = connected(app)
    await until(lambda: b"101" in wire.written)
    wire.arrive(frame(CLOSE, b"\x03\xe8"))
    connection.shutdown()
    await until(lambda: app.received)
    assert parse_frames(sent_on(wire)) == [(CLOSE, b"\x03\xe8")]

    connection, wire = connected(Receiving({"code": 1000}))
    await until(lambda: wire.written.endswith(b"\x03\xe8"))
    connection.shutdown()
    assert wire.closed
    assert parse_frames(sent_on(wire)) == [(CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("close", [None, {"code": 1000}])
async def test_nothing_is_left_of_a_connection(close: Message | None) -> None:
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
    before = [timer for timer in timers if not timer.cancelled()]
    connection, wire = connected(Receiving(close), ws_ping_interval=1, ws_ping_timeout=1)
    tasks = connection._server_state.tasks
    assert connection._connections == {connection}
    assert len(tasks) == 1
    await until(lambda: b"101" in wire.written)
    wire.arrive(frame(CLOSE, b"\x03\xe8"))
    await until(lambda: not connection._connections and not tasks)
    left = [timer for timer in timers if not timer.cancelled()]
    assert left == before
