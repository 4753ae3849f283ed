"""An `await` lets other tasks run only if it has to wait."""

import asyncio


async def taken_before_others_run(items: int, *, gives_turns: bool) -> int:
    """Items that a task takes from a full queue before another task gets its first turn."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    for item in range(items):
        queue.put_nowait(item)
    taken = taken_then = 0

    async def take() -> None:
        nonlocal taken
        while not queue.empty():
            await queue.get()
            taken += 1
            if gives_turns:
                await asyncio.sleep(0)

    async def other() -> None:
        nonlocal taken_then
        taken_then = taken

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(take())
        tasks.create_task(other())
    return taken_then


for gives_turns in (False, True):
    taken = asyncio.run(taken_before_others_run(10_000, gives_turns=gives_turns))
    print(f"gives turns: {gives_turns!s:5}  items taken before another task ran: {taken}")
