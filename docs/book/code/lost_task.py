"""A writer fails. Who notices, if its task has no owner, and if it has one?"""

import asyncio

STEPS = 50


async def write() -> None:
    """Send events, until the client is gone."""
    await asyncio.sleep(0)
    raise ConnectionError("the client is gone")


async def read(log: list[int]) -> None:
    """Read messages, and process them."""
    for step in range(STEPS):
        log.append(step)
        await asyncio.sleep(0)


async def without_owner(log: list[int]) -> None:
    """The reference keeps the task alive, and no task awaits it."""
    tasks = {asyncio.get_running_loop().create_task(write())}
    await read(log)
    print(f"{len(log)} messages were processed; the writer is done: {tasks.copy().pop().done()}")


async def with_owner(log: list[int]) -> None:
    """The group ends when one of its tasks fails."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        tasks.create_task(read(log))


loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda _, context: print("later, a log line:", context["message"]))
loop.run_until_complete(without_owner([]))
loop.close()

log: list[int] = []
try:
    asyncio.run(with_owner(log))
except* ConnectionError as errors:
    print(f"{len(log)} messages were processed; then: {errors.exceptions[0]}")
