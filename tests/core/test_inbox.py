"""What waits between the socket and the pipeline: in order, in blocks, bounded."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.inbox import OVERHEAD_BYTES, Inbox

COMMAND = OVERHEAD_BYTES
MESSAGE = OVERHEAD_BYTES // 8
"""What a command, and a message of audio besides its bytes, counts as."""


async def waits(task: "asyncio.Task[object]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


async def test_audio_and_commands_keep_their_order_and_neighbours_become_one_block() -> None:
    inbox = Inbox[str](10_000)
    await inbox.put_audio(b"ab")
    await inbox.put_audio(b"c")
    await inbox.put("flush")
    await inbox.put("stop")
    await inbox.put_audio(b"d")
    assert [await inbox.get() for _ in range(4)] == [b"abc", "flush", "stop", b"d"]


async def test_what_was_taken_is_not_given_again() -> None:
    inbox = Inbox[str](1_000)
    await inbox.put_audio(b"a")
    assert await inbox.get() == b"a"
    await inbox.put_audio(b"b")
    assert await inbox.get() == b"b"


@pytest.mark.parametrize("kind", ["audio", "command"])
async def test_get_waits_for_the_next(kind: str) -> None:
    inbox = Inbox[str](1_000)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get())
        assert await waits(got)
        if kind == "audio":
            await inbox.put_audio(b"a")
        else:
            await inbox.put("flush")
    assert got.result() == (b"a" if kind == "audio" else "flush")


async def test_the_reader_is_held_up_while_the_limit_is_reached() -> None:
    inbox = Inbox[str](COMMAND + 2 * (MESSAGE + 5))
    await inbox.put_audio(b"12345")
    await inbox.put("flush")
    await inbox.put_audio(b"67890")
    async with asyncio.TaskGroup() as tasks:
        put = tasks.create_task(inbox.put_audio(b"more"))
        assert await waits(put)
        assert await inbox.get() == b"12345"
        assert not await waits(put)
    assert [await inbox.get(), await inbox.get()] == ["flush", b"67890more"]


async def test_exactly_the_limit_is_no_room() -> None:
    inbox = Inbox[str](COMMAND + MESSAGE + 10)
    await inbox.put_audio(b"1")
    await inbox.put("flush")
    await inbox.put_audio(b"2" * 10)
    assert await inbox.get() == b"1"
    async with asyncio.TaskGroup() as tasks:
        put = tasks.create_task(inbox.put_audio(b"3"))
        assert await waits(put)
        assert [await inbox.get(), await inbox.get()] == ["flush", b"2" * 10]


async def test_commands_are_bounded_too() -> None:
    inbox = Inbox[str](3 * COMMAND)
    for _ in range(3):
        await inbox.put("flush")
    async with asyncio.TaskGroup() as tasks:
        put = tasks.create_task(inbox.put("flush"))
        assert await waits(put)
        await inbox.get()
    assert [await inbox.get() for _ in range(3)] == ["flush"] * 3


async def test_it_is_idle_while_it_is_waited_for() -> None:
    inbox = Inbox[str](1_000)
    idle = [inbox.idle]
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get())
        assert await waits(got)
        idle.append(inbox.idle)
        await inbox.put("stop")
    assert [*idle, inbox.idle] == [False, True, False]


async def test_a_message_larger_than_the_limit_gets_in_alone() -> None:
    inbox = Inbox[str](2)
    await inbox.put_audio(b"large")
    async with asyncio.TaskGroup() as tasks:
        put = tasks.create_task(inbox.put_audio(b"x"))
        assert await waits(put)
        assert await inbox.get() == b"large"
    assert await inbox.get() == b"x"


items = st.binary(min_size=1, max_size=8) | st.sampled_from(["flush", "stop"])


@settings(deadline=None)
@given(st.lists(items, max_size=30), st.integers(1, 3_000), st.integers(0, 3))
def test_nothing_is_lost_however_fast_it_is_taken(
    sent: list[bytes | str], limit: int, pause: int
) -> None:
    asyncio.run(_carry(sent, limit, pause))


async def _carry(sent: list[bytes | str], limit: int, pause: int) -> None:
    inbox = Inbox[str](limit)
    waiting = most_waiting = 0

    async def fill() -> None:
        nonlocal waiting, most_waiting
        for item in sent:
            if isinstance(item, str):
                await inbox.put(item)
            else:
                await inbox.put_audio(item)
                waiting += len(item) + MESSAGE
                most_waiting = max(most_waiting, waiting)
        await inbox.put("end")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fill())
        got: list[bytes | str] = []
        while (item := await inbox.get()) != "end":
            got.append(item)
            if isinstance(item, bytes):
                waiting = 0
            for _ in range(pause):
                await asyncio.sleep(0)
    assert split(got) == split(sent)
    assert most_waiting < limit + MESSAGE + 8  # one message more than the limit at most


def split(items: list[bytes | str]) -> list[int | str]:
    """Audio byte by byte, so that only the order counts."""
    parts: list[int | str] = []
    for item in items:
        parts += [item] if isinstance(item, str) else list(item)
    return parts
