"""A second dialect needs nothing but itself: no change in session, pipeline or inference."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streamer.access.refusal_log import NO_TOKEN, WRONG_TOKEN
from streamer.access.tokens import Access
from streamer.app import create_app
from streamer.config.dialect_names import AddedDialect
from streamer.config.limits import LimitsConfig
from streamer.config.models import ModelConfig
from streamer.config.schema import Config
from streamer.dialects.addresses import ADDED, OWN, SocketAddress, socket_addresses
from streamer.models.resolve import model_specs
from streamer.observe.monitor import Meter, Monitor
from streamer.observe.tracer import Tracer
from streamer.telemetry.setup import Telemetry
from streamer.vad.factory import open_vad
from streamer.websocket.connection import websocket_class
from tests.dialects.line_dialect import LineDialect
from tests.websocket.in_loop import serving
from tools.harness.process import TIMEOUT_S
from tools.harness.sounds import silence
from tools.harness.streams import events_of, stream_audio

KEY = "correct-horse"


@contextlib.asynccontextmanager
async def server(
    *tokens: str, limits: LimitsConfig | None = None, dialect: LineDialect | None = None
) -> AsyncIterator[int]:
    monitor, limits = Monitor(), limits or LimitsConfig()
    config = Config(model=ModelConfig(type="standin"), limits=limits)
    ready = asyncio.Event()
    app = create_app(
        config,
        Access(tokens, time.monotonic),
        model_specs(config, Path()),
        lambda: open_vad(config, Meter(monitor, "vad")),
        Telemetry(monitor, Tracer(), None),
        on_ready=lambda _: ready.set(),
        on_broken=lambda failure: pytest.fail(str(failure)),
        sockets={**OWN, "/lines": SocketAddress("native", lambda _: dialect or LineDialect())},
    )
    async with serving(app, websocket_class(limits)) as port, asyncio.timeout(TIMEOUT_S):
        await ready.wait()
        yield port


def lines(port: int, query: str = "", **options: object) -> connect:
    options = {"compression": None, "proxy": None, **options}
    return connect(f"ws://127.0.0.1:{port}/lines{query}", **options)  # type: ignore[arg-type]


async def rest(socket: ClientConnection) -> list[str | bytes]:
    received: list[str | bytes] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            received.append(await socket.recv())
    return received


async def test_it_streams_beside_ours() -> None:
    async with server() as port:
        async with lines(port, "?rate=8000", subprotocols=["lines"]) as socket:
            assert socket.subprotocol == "lines"
            await socket.send(b"\0" * 20_000)  # 1.25 s: a whole chunk of 1 s, and a part of one
            await socket.send("FLUSH")
            await socket.send(b"\0" * 4_000)
            await socket.send("BYE")
            names = [name for name in await rest(socket) if isinstance(name, bytes)]
        assert names == [b"Segment", b"Segment", b"Segment", b"Stopped"]
        assert (socket.close_code, socket.close_reason) == (1000, "bye")
        assert len(events_of(await stream_audio(port, silence(2), "simple"), "segment")) == 2


async def test_its_frames_are_numbered_for_each_socket() -> None:
    async with server() as port:
        for _ in range(2):
            async with lines(port) as socket:
                await socket.send("BYE")
                assert await socket.recv() == "1 Stopped"


@pytest.mark.parametrize(
    ("frame", "code"), [("WHAT", "bad_message"), ("x" * 70_000, "too_large"), (b"?", "bad_message")]
)
async def test_it_may_close_on_any_event(
    frame: str | bytes, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the session closes the socket by itself afterwards."""
    async with server() as port, lines(port) as socket:
        await socket.send(frame)
        assert await rest(socket) == [f"NO {code}"]
        assert (socket.close_code, socket.close_reason) == (4001, "failed")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ("?key=wrong", 401, f"NO unauthorized: {WRONG_TOKEN}"),
        ("", 401, f"NO unauthorized: {NO_TOKEN}"),
        ("?rate=fast", 401, f"NO unauthorized: {NO_TOKEN}"),
        ("?key=wrong&rate=fast", 401, f"NO unauthorized: {WRONG_TOKEN}"),
        (f"?key={KEY}&rate=fast", 400, "NO bad_rate: rate is fast; allowed: a number of Hz"),
        (f"?key={KEY}&model=nova", 400, "NO bad_message: 'model' is \"nova\"; allowed: standin"),
        (f"?key={KEY}&rate=1", 400, "NO bad_format"),
    ],
)
async def test_it_is_refused_in_its_own_words_before_the_socket_opens(
    query: str, status: int, body: str
) -> None:
    async with server(KEY) as port:
        with pytest.raises(InvalidStatus) as refused:
            async with lines(port, query):
                pass
        assert refused.value.response.status_code == status
        assert (refused.value.response.body or b"").decode().startswith(body)
        async with lines(port, f"?key={KEY}") as socket:
            await socket.send("BYE")
            assert b"Stopped" in await rest(socket)


async def test_it_is_refused_in_its_own_words_without_room() -> None:
    async with server(limits=LimitsConfig(max_sessions=1)) as port, lines(port):
        with pytest.raises(InvalidStatus) as refused:
            async with lines(port):
                pass
    response = refused.value.response
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert (response.body or b"").startswith(b"NO overloaded: all places are taken")


async def test_it_begins_and_answers_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with server() as port, lines(port, "?hello=welcome&colour=red&smell=%0A") as socket:
        assert socket.response is not None
        assert socket.response.headers["x-line"] == "1"
        assert await socket.recv() == "welcome"
        await socket.send(b"\0" * 8_000)
        await socket.send("FLUSH")
        await socket.send("SAY hello")
        await socket.send("BYE")
        received = await rest(socket)
        said = [line for line in received if isinstance(line, str)]
        # An answer waits for its turn, but for no result.
        assert {line[2:] for line in said} == {"Segment", "SAY hello", "Stopped"}
        assert [line[0] for line in said] == ["1", "2", "3"]
    (line,) = [r.getMessage() for r in caplog.records if "ignored" in r.getMessage()]
    assert line == "native: ignored: colour, smell"


async def test_its_texts_may_be_larger_than_other_messages() -> None:
    dialect = LineDialect(max_text_bytes=50_000)
    limits = LimitsConfig(max_message_bytes=1_024, max_text_bytes=256)
    async with server(limits=limits, dialect=dialect) as port, lines(port) as socket:
        long = "SAY " + "x" * 49_996
        await socket.send(long)
        assert await socket.recv() == f"1 {long}"
        await socket.send(long + "y")
        assert await rest(socket) == ["NO too_large"]


async def test_it_may_be_idle_for_as_long_as_it_says() -> None:
    limits = LimitsConfig(idle_seconds=0.05, start_seconds=0.05)
    patient_dialect = LineDialect(idle_seconds=0)
    async with (
        server(limits=limits, dialect=patient_dialect) as port,
        server(limits=limits) as other,
        lines(port) as patient,
    ):
        async with lines(other) as idle:
            assert await rest(idle) == ["NO idle_timeout"]
        await patient.send("SAY hello")
        assert await patient.recv() == "1 SAY hello"


@pytest.mark.parametrize("path", ADDED)
def test_every_other_dialect_can_be_switched_off(path: str) -> None:
    every = get_args(AddedDialect)
    others = [name for name in every if name != ADDED[path].dialect]
    assert path in socket_addresses(every)
    assert path not in socket_addresses(others)
    assert path not in OWN
