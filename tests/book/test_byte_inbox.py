"""Check of the exercise `byte_inbox`."""

import asyncio
import contextlib

from tests.book.exercise import load

answer = load("byte_inbox")


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_messages_come_in_order_and_are_counted() -> None:
    inbox = answer.ByteInbox(100)
    for message in (b"a", b"", b"ccc"):
        inbox.put(message)
    assert inbox.held_bytes == 4
    assert [await inbox.get() for _ in range(3)] == [b"a", b"", b"ccc"]
    assert inbox.held_bytes == 0


async def test_get_waits_for_a_message() -> None:
    inbox = answer.ByteInbox(100)
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(inbox.get())
        await turns()
        assert not taken.done()
        inbox.put(b"x")
    assert taken.result() == b"x"


async def test_a_full_inbox_holds_the_reader_back() -> None:
    inbox = answer.ByteInbox(10)
    inbox.put(bytes(9))
    await asyncio.wait_for(inbox.wait_for_room(), 5)
    inbox.put(bytes(5))  # never waits
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(inbox.wait_for_room())
        await turns()
        assert not waiting.done()
        await inbox.get()
        await turns()
        assert waiting.done()
    inbox.put(bytes(10))
    async with asyncio.TaskGroup() as tasks:
        again = tasks.create_task(inbox.wait_for_room())
        await turns()
        assert not again.done(), "the inbox is full again"
        await inbox.get()
        await inbox.get()


async def test_a_cancelled_get_has_taken_nothing() -> None:
    inbox = answer.ByteInbox(100)
    for early in range(8):
        async with asyncio.TaskGroup() as tasks:
            taken = tasks.create_task(inbox.get())
            await turns(early % 4)
            if early < 4:
                inbox.put(b"x")
            await turns(early % 2)
            taken.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await taken
        if taken.cancelled() and early < 4:
            assert inbox.held_bytes == 1
            assert await inbox.get() == b"x"
        assert inbox.held_bytes == 0


async def test_a_reader_and_a_worker() -> None:
    inbox = answer.ByteInbox(50)
    sent = [bytes([number % 256]) * (number % 7) for number in range(300)]
    most = 0
    found: list[bytes] = []

    async def read() -> None:
        nonlocal most
        for message in sent:
            await inbox.wait_for_room()
            inbox.put(message)
            most = max(most, inbox.held_bytes)

    async def work() -> None:
        while len(found) < len(sent):
            found.append(await inbox.get())
            await asyncio.sleep(0)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        tasks.create_task(work())
    assert found == sent
    assert 50 <= most < 50 + 7
