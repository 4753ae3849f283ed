"""An application that fails, ends too early, or sends what cannot be sent now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streamer.config.limits import LimitsConfig
from streamer.websocket.asgi import ClientDisconnected
from streamer.websocket.connection import websocket_class
from tests.websocket.in_loop import serving
from tests.websocket.in_memory import connected, until
from tools.harness.raw import CLOSE, PING, PONG, frame, parse_frames

OURS = websocket_class(LimitsConfig())
ACCEPT: Message = {"type": "websocket.accept"}
HTTP_START: Message = {"type": "websocket.http.response.start", "status": 401}

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Injected(Exception):
    pass


def sending(*messages: Message, failing: bool) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(message)
        if failing:
            raise Injected

    return app


@pytest.mark.parametrize("messages", [(), (HTTP_START,)])
@pytest.mark.parametrize(
    ("failing", "line"),
    [(True, "the application failed"), (False, "returned without an answer")],
)
async def test_an_application_that_ends_without_an_answer(
    caplog: pytest.LogCaptureFixture, messages: tuple[Message, ...], failing: bool, line: str
) -> None:
    async with serving(sending(*messages, failing=failing), OURS, lifespan="off") as port:
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(f"ws://127.0.0.1:{port}/"):
                pass
    response = refusal.value.response
    assert (response.status_code, response.body) == (500, b"Internal Server Error")
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert line in record.getMessage()
    assert bool(record.exc_info) == failing


@pytest.mark.parametrize(("failing", "code", "lines"), [(True, 1011, 1), (False, 1000, 0)])
async def test_an_application_that_ends_without_closing(
    caplog: pytest.LogCaptureFixture, failing: bool, code: int, lines: int
) -> None:
    async with (
        serving(sending(ACCEPT, failing=failing), OURS, lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}/") as client,
    ):
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == code
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == lines


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ((), {"type": "websocket.send", "text": "x"}),
        ((), {"type": "websocket.http.response.start", "status": 101}),
        ((), {"type": "websocket.http.response.start", "status": 600}),
        ((), {"type": "websocket.http.response.body", "body": b""}),
        ((HTTP_START,), ACCEPT),
        ((ACCEPT,), ACCEPT),
        ((ACCEPT,), HTTP_START),
        ((ACCEPT,), {"type": "websocket.send"}),
    ],
)
async def test_a_message_that_cannot_be_sent_now_is_the_applications_mistake(
    before: tuple[Message, ...], wrong: Message
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in before:
            await send(message)
        with pytest.raises(RuntimeError):
            await send(wrong)
        corrected.set()

    corrected = asyncio.Event()
    _, wire = connected(app)
    await until(corrected.is_set)
    await until(lambda: b"HTTP/1.1" in wire.written)


async def test_nothing_is_sent_after_the_end_of_the_connection() -> None:
    """By whichever side; the application's own close is then no mistake."""
    outcomes: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        for message in ({"type": "websocket.send", "text": "x"}, {"type": "websocket.close"}):
            try:
                await send(message)
                outcomes.append(None)
            except ClientDisconnected as error:
                outcomes.append(type(error))

    _, wire = connected(app)
    await until(lambda: b"101" in wire.written)
    wire.arrive(frame(CLOSE, b"\x03\xe8"))
    await until(lambda: len(outcomes) == 2)
    assert outcomes == [ClientDisconnected, None]

    outcomes.clear()
    _, wire = connected(app)
    await until(lambda: b"101" in wire.written)
    wire.abort()
    await until(lambda: len(outcomes) == 2)
    assert outcomes == [ClientDisconnected, ClientDisconnected]


async def test_sending_goes_on_when_the_client_reads_and_ends_when_it_is_lost() -> None:
    """A transport that is lost never says that it can be written to again."""
    sent = 0
    outcome: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(ACCEPT)
        try:
            while True:
                await send({"type": "websocket.send", "bytes": b"x"})
                sent += 1
                await asyncio.sleep(0)
        except OSError as error:
            outcome.append(error)

    connection, wire = connected(app)
    await until(lambda: sent == 3)
    connection.pause_writing()
    for _ in range(10):
        await asyncio.sleep(0)
    assert sent <= 4
    stopped = sent
    connection.resume_writing()
    await until(lambda: sent > stopped + 1)
    connection.pause_writing()
    wire.abort()
    await until(lambda: outcome)
    assert isinstance(outcome[0], ClientDisconnected)


async def test_a_client_that_reads_slowly_gets_a_pong_for_its_latest_ping() -> None:
    """RFC 6455, section 5.5.3; and pongs do not pile up."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        while (await receive())["type"] != "websocket.disconnect":
            pass

    def frames() -> list[tuple[int, bytes]]:
        return parse_frames(wire.written.partition(b"\r\n\r\n")[2])

    connection, wire = connected(app)
    await until(lambda: b"101" in wire.written)
    wire.arrive(frame(PING, b"1") + frame(PING, b"2"))
    assert frames() == [(PONG, b"1"), (PONG, b"2")]
    connection.pause_writing()
    for number in range(3, 1_000):
        wire.arrive(frame(PING, str(number).encode()))
    await until(lambda: not wire.reading_paused and not connection._reader._unparsed)
    assert len(frames()) == 2
    connection.resume_writing()
    assert frames()[2:] == [(PONG, b"999")]
    connection.resume_writing()
    wire.arrive(frame(PING, b"last"))
    assert frames()[3:] == [(PONG, b"last")]
    assert not wire.aborted
    wire.abort()
