"""A task group, and an exception that means the end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

Part = Callable[[], Awaitable[None]]


class SessionOver(Exception):
    """A part has returned."""


async def _until_the_end(part: Part) -> None:
    await part()
    raise SessionOver


async def run_session(parts: Sequence[Part]) -> None:
    """End the group by an exception that is not passed on."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for part in parts:
                tasks.create_task(_until_the_end(part))
    except* SessionOver:
        pass
