"""Several clients that flood the server are parsed in turns, and a defect there is not silent."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from streamer.config.limits import LimitsConfig
from streamer.websocket.connection import websocket_class
from streamer.websocket.protocol_core import Core
from streamer.websocket.rate import MAX_PIECE_BYTES, MIN_PIECE_BYTES, ReadPacing
from tests.websocket.in_loop import serving
from tests.websocket.in_memory import Wire, connected, until
from tests.websocket.receiving import DirectEcho
from tools.harness.process import TIMEOUT_S
from tools.harness.raw import BINARY, CONT, PING, PONG, frame, parse_frames

FLOODERS, FRAGMENTS = 4, 1_500
ONE_BYTE = frame(CONT, b"x", flags=0)
FLOOD = frame(BINARY, b"x", flags=0) + ONE_BYTE * FRAGMENTS + frame(CONT, b"x")
LIMITS = LimitsConfig(max_fragments=0, max_messages_per_second=0)


@pytest.mark.parametrize("packet_bytes", [len(FLOOD), MIN_PIECE_BYTES - 4])
async def test_one_piece_of_all_floods_is_parsed_in_each_turn(
    monkeypatch: pytest.MonkeyPatch, packet_bytes: int
) -> None:
    pieces, turn, received, over = Counter[int](), 0, 0, asyncio.Event()
    receive_data = Core.receive_data

    def counting(core: Core, data: bytes) -> None:
        nonlocal received
        # From where each is known to send small frames, to the end of the floods.
        if FLOODERS * MIN_PIECE_BYTES <= received < FLOODERS * len(FLOOD):
            pieces[turn] += 1
        received += len(data)
        receive_data(core, data)

    async def count_turns() -> None:
        nonlocal turn
        while not over.is_set():
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Core, "receive_data", counting)
    async with (
        asyncio.timeout(TIMEOUT_S),
        serving(DirectEcho(), websocket_class(LIMITS), lifespan="off") as port,
        AsyncExitStack() as clients,
        asyncio.TaskGroup() as tasks,
    ):
        address = f"ws://127.0.0.1:{port}"
        flooders = [
            await clients.enter_async_context(connect(address, compression=None))
            for _ in range(FLOODERS)
        ]
        received = 0  # without the requests to upgrade
        tasks.create_task(count_turns())
        for at in range(0, len(FLOOD), packet_bytes):
            for flooder in flooders:
                flooder.transport.write(FLOOD[at : at + packet_bytes])
            while received < FLOODERS * min(len(FLOOD), at + packet_bytes):  # noqa: ASYNC110
                await asyncio.sleep(0)
        for flooder in flooders:
            assert await flooder.recv() == b"x" * (FRAGMENTS + 2)
        over.set()
    assert pieces.total() > FLOODERS * FRAGMENTS * len(ONE_BYTE) // MIN_PIECE_BYTES // 2
    assert max(pieces.values()) == 1


async def test_a_defect_in_a_turn_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, told = RuntimeError("injected"), list[object]()

    def fail(pacing: ReadPacing, frames: int) -> None:
        raise problem

    asyncio.get_running_loop().set_exception_handler(lambda _, c: told.append(c["exception"]))
    async with (
        asyncio.timeout(TIMEOUT_S),
        serving(DirectEcho(), websocket_class(LIMITS), lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}", compression=None, ping_interval=None) as client,
    ):
        monkeypatch.setattr(ReadPacing, "fit", fail)
        client.transport.write(FLOOD)
        await client.wait_closed()
    assert problem in told


async def test_nothing_is_read_while_messages_are_not_taken() -> None:
    """Large messages, each longer than a piece, so that turns alone would not stop them."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await take.wait()
        while (await receive())["type"] == "websocket.receive":
            taken.append(len(connection._messages._items))

    take, taken = asyncio.Event(), list[int]()
    connection, wire = connected(app)
    await until(lambda: wire.written)
    wire.arrive(frame(BINARY, bytes(9_000)) * 20)
    for _ in range(100):
        await asyncio.sleep(0)
    assert wire.reading_paused
    assert len(connection._messages._items) == 1
    take.set()
    await until(lambda: len(taken) == 20)
    assert max(taken) <= 1
    wire.abort()


async def test_a_rate_that_is_exceeded_stops_a_flood_beside_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal taken
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            taken += message["bytes"] is not None

    monkeypatch.setattr("streamer.websocket.rate.SPARE_SHARE", 1e-9)
    monkeypatch.setattr("streamer.websocket.rate.MAX_SAVED_S", 0.0)
    connection, wire = connected(app, LimitsConfig(max_messages_per_second=10))
    await until(lambda: wire.written)
    connection.spare.note_active(object(), asyncio.get_running_loop().time())
    wire.arrive(frame(BINARY, b"x") * 2_000)
    for _ in range(200):
        await asyncio.sleep(0)
    assert wire.reading_paused
    assert 10 <= taken <= MAX_PIECE_BYTES // len(frame(BINARY, b"x"))  # a piece
    wire.abort()


async def test_a_flood_alone_is_read_to_its_end() -> None:
    _, wire = connected(app := DirectEcho(), LimitsConfig(max_messages_per_second=10))
    await until(lambda: wire.written)
    wire.arrive(frame(BINARY, b"x") * 2_000 + frame(PING, b"p"))
    await until(lambda: (PONG, b"p") in parse_frames(wire.written.partition(b"\r\n\r\n")[2]))
    assert app.notices == [], "it is not read more slowly"
    wire.abort()


@pytest.mark.parametrize("sizes", [(7,), (0, 1, 30, 125, 2)])
async def test_small_messages_are_passed_on_together(sizes: tuple[int, ...]) -> None:
    """Half a million of 7 bytes, as many as the kernels keep, would cost seconds one by one."""
    audio = [bytes([number % 256]) * sizes[number % len(sizes)] for number in range(20_000)]
    _, wire = connected(app := DirectEcho(joined=True))
    await until(lambda: wire.written)
    wire.arrive(b"".join(frame(BINARY, message) for message in audio) + frame(PING, b"p"))
    await until(lambda: (PONG, b"p") in parse_frames(wire.written.partition(b"\r\n\r\n")[2]))
    await until(lambda: received_by(wire) == b"".join(audio))
    assert app.direct < 20_000 // 20
    wire.abort()


def received_by(wire: Wire) -> bytes:
    frames = parse_frames(wire.written.partition(b"\r\n\r\n")[2])
    return b"".join(payload for opcode, payload in frames if opcode == BINARY)
