"""How much a session holds when its client sends faster than it works."""

import asyncio

from streamer.session.inbox import Inbox

MESSAGE = bytes(640)
"""20 ms of 16 kHz mono."""


async def most_held(max_bytes: int, *, waits: bool) -> int:
    """Bytes held at most, while messages come ten times as fast as they are processed.

    Args:
        max_bytes: Of the inbox.
        waits: Whether the reader waits for room.
    """
    inbox: Inbox[str] = Inbox(max_bytes, asyncio.get_running_loop().time)
    most = 0

    async def read() -> None:
        nonlocal most
        for _ in range(3_000):
            inbox.put_audio(MESSAGE)
            most = max(most, inbox.held_bytes())
            if waits and inbox.full:
                await inbox.wait_for_room()
            await asyncio.sleep(0)
        inbox.put("the end")

    async def work() -> None:
        while isinstance(block := await inbox.get(), bytes):
            for _ in range(10 * len(block) // len(MESSAGE)):
                await asyncio.sleep(0)  # so long does the processing take

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        tasks.create_task(work())
    return most


async def main() -> None:
    """Compare."""
    for max_bytes in (16_000, 64_000):
        for waits in (False, True):
            most = await most_held(max_bytes, waits=waits)
            print(f"limit {max_bytes:6}  reader waits: {waits!s:5}  held at most: {most:7} bytes")


asyncio.run(main())
