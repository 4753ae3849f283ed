"""Several clients that flood the server are parsed in turns, and a defect there is not silent."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect

from streamer.config.schema import LimitsConfig
from streamer.websocket.connection import limited
from streamer.websocket.frames import Core
from streamer.websocket.pace import LEAST_BYTES, Pace
from tests.websocket.hearing import Hearing
from tests.websocket.in_loop import serving
from tools.harness.process import TIMEOUT_S
from tools.harness.raw import BINARY, CONT, frame

FLOODERS, FRAGMENTS = 4, 1_500
ONE_BYTE = frame(CONT, b"x", flags=0)
FLOOD = frame(BINARY, b"x", flags=0) + ONE_BYTE * FRAGMENTS + frame(CONT, b"x")
LIMITS = LimitsConfig(max_fragments=0, max_messages_per_second=0)


@pytest.mark.parametrize("packet_bytes", [len(FLOOD), LEAST_BYTES - 4])
async def test_one_piece_of_all_floods_is_parsed_in_each_turn(
    monkeypatch: pytest.MonkeyPatch, packet_bytes: int
) -> None:
    pieces, turn, received, over = Counter[int](), 0, 0, asyncio.Event()
    receive_data = Core.receive_data

    def counting(core: Core, data: bytes) -> None:
        nonlocal received
        # From where each is known to send small frames, to the end of the floods.
        if FLOODERS * LEAST_BYTES <= received < FLOODERS * len(FLOOD):
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
        serving(Hearing(), limited(LIMITS), lifespan="off") as port,
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
    assert pieces.total() > FLOODERS * FRAGMENTS * len(ONE_BYTE) // LEAST_BYTES // 2
    assert max(pieces.values()) == 1


async def test_a_defect_in_a_turn_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, told = RuntimeError("injected"), list[object]()

    def fail(pace: Pace, frames: int) -> None:
        raise problem

    asyncio.get_running_loop().set_exception_handler(lambda _, c: told.append(c["exception"]))
    async with (
        asyncio.timeout(TIMEOUT_S),
        serving(Hearing(), limited(LIMITS), lifespan="off") as port,
        connect(f"ws://127.0.0.1:{port}", compression=None, ping_interval=None) as client,
    ):
        monkeypatch.setattr(Pace, "fit", fail)
        client.transport.write(FLOOD)
        await client.wait_closed()
    assert problem in told
