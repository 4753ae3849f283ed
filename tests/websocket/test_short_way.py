"""Live audio that is handed over without the parser keeps its order, and to the limits."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect

from streamer.config.limits import LimitsConfig
from streamer.websocket.connection import websocket_class
from streamer.websocket.signals import SlowedNotice, TooLargeNotice
from tests.websocket.in_loop import serving
from tests.websocket.in_memory import connected, until
from tests.websocket.receiving import DirectEcho
from tools.harness.process import TIMEOUT_S
from tools.harness.raw import BINARY, frame

MESSAGE = bytes(range(256)) * 2


@asynccontextmanager
async def echoed_by(
    app: DirectEcho, limits: LimitsConfig, max_size: int = 1 << 20
) -> AsyncIterator[ClientConnection]:
    async with (
        asyncio.timeout(TIMEOUT_S),
        serving(app, websocket_class(limits), ws_max_size=max_size, lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}", compression=None) as client,
    ):
        yield client


async def test_a_message_alone_is_handed_over_at_once() -> None:
    app = DirectEcho()
    async with echoed_by(app, LimitsConfig()) as client:
        for size in (0, 1, 125, 126, 512):
            await client.send(MESSAGE[:size])
            assert await client.recv() == MESSAGE[:size]
        assert app.direct == 5


async def test_none_overtakes_another() -> None:
    """Alone, many together, in fragments, and text between them."""
    chance = random.Random(7)
    sent: list[str | bytes] = []
    async with echoed_by(DirectEcho(), LimitsConfig(max_messages_per_second=0)) as client:
        for number in range(600):
            message: str | bytes = f"{number} ".encode() * chance.choice((1, 30, 200))
            if not chance.randrange(5):
                message = str(number)
            sent.append(message)
            if isinstance(message, bytes) and not chance.randrange(5):
                await client.send([message[:7], message[7:]])
            else:
                await client.send(message)
            if not chance.randrange(4):
                await asyncio.sleep(0)
        assert [await client.recv() for _ in sent] == sent


async def test_so_many_a_second_are_taken_and_no_more_beside_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streamer.websocket.rate.SPARE_SHARE", 1e-9)
    monkeypatch.setattr("streamer.websocket.rate.MAX_SAVED_S", 0.0)
    monkeypatch.setattr("streamer.websocket.rate.ACTIVE_S", TIMEOUT_S)
    app, protocol = DirectEcho(), websocket_class(LimitsConfig(max_messages_per_second=10))
    loop = asyncio.get_running_loop()
    async with (
        serving(app, protocol, lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}", compression=None) as client,
    ):
        protocol.spare.note_active(object(), loop.time())
        begun_s = loop.time()
        for _ in range(20):  # each waits for the one before, so that none come together
            await client.send(MESSAGE)
            assert await client.recv() == MESSAGE
        assert loop.time() - begun_s > 0.3  # after ten that are free, about one each 0.1 s
    assert app.notices == [SlowedNotice("limits.max_messages_per_second", 10)]


async def test_alone_all_are_taken_at_once() -> None:
    app = DirectEcho()
    async with echoed_by(app, LimitsConfig(max_messages_per_second=1)) as client:
        for _ in range(15):
            await client.send(MESSAGE)
            assert await client.recv() == MESSAGE
    assert app.notices == []
    assert app.direct == 15


async def test_one_that_is_too_large_is_refused() -> None:
    app = DirectEcho()
    async with echoed_by(app, LimitsConfig(), max_size=300) as client:
        await client.send(MESSAGE[:300])
        assert await client.recv() == MESSAGE[:300]
        await client.send(MESSAGE[:301])
        while not app.notices:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        client.transport.abort()  # nobody listens any more to a client that would say goodbye
    (notice,) = app.notices
    assert isinstance(notice, TooLargeNotice)
    assert "301 bytes" in notice.reason


async def test_messages_that_arrive_together_are_not_delivered_directly() -> None:
    """They are taken one after the other, so that a flood leaves time for other connections."""
    app = DirectEcho()
    _, wire = connected(app)
    await until(lambda: wire.written)
    opened = len(wire.written)
    wire.arrive(frame(BINARY, bytes(9_000)) * 20)
    await until(lambda: len(wire.written) >= opened + 20 * 9_000)
    assert app.direct <= 1
    wire.arrive(frame(BINARY, b"alone"))
    assert app.direct <= 2
    wire.abort()
