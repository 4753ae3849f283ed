"""Live audio that is handed over without the parser keeps its order, and to the limits."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect

from streamer.config.schema import LimitsConfig
from streamer.websocket.channel import Slowed, TooLarge
from streamer.websocket.connection import limited
from tests.websocket.hearing import Hearing
from tests.websocket.in_loop import serving
from tools.harness.process import TIMEOUT_S

MESSAGE = bytes(range(256)) * 2


@asynccontextmanager
async def heard_by(
    app: Hearing, limits: LimitsConfig, max_size: int = 1 << 20
) -> AsyncIterator[ClientConnection]:
    async with (
        asyncio.timeout(TIMEOUT_S),
        serving(app, limited(limits), ws_max_size=max_size, lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}", compression=None) as client,
    ):
        yield client


async def test_a_message_alone_is_handed_over_at_once() -> None:
    app = Hearing()
    async with heard_by(app, LimitsConfig()) as client:
        for size in (0, 1, 125, 126, 512):
            await client.send(MESSAGE[:size])
            assert await client.recv() == MESSAGE[:size]
        assert app.at_once == 5


async def test_none_overtakes_another() -> None:
    """Alone, many together, in fragments, and text between them."""
    chance = random.Random(7)
    sent: list[str | bytes] = []
    async with heard_by(Hearing(), LimitsConfig(max_messages_per_second=0)) as client:
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


async def test_so_many_a_second_are_taken_and_no_more() -> None:
    app = Hearing()
    async with heard_by(app, LimitsConfig(max_messages_per_second=10)) as client:
        for _ in range(15):  # each waits for the one before, so that none come together
            await client.send(MESSAGE)
            assert await client.recv() == MESSAGE
    assert app.notices == [Slowed("limits.max_messages_per_second", 10)]


async def test_one_that_is_too_large_is_refused() -> None:
    app = Hearing()
    async with heard_by(app, LimitsConfig(), max_size=300) as client:
        await client.send(MESSAGE[:300])
        assert await client.recv() == MESSAGE[:300]
        await client.send(MESSAGE[:301])
        while not app.notices:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        client.transport.abort()  # nobody listens any more to a client that would say goodbye
    (notice,) = app.notices
    assert isinstance(notice, TooLarge)
    assert "301 bytes" in notice.why
