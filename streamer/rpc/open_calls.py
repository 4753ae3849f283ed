"""The calls that are being served: their tasks have an owner, and an end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

SHUTTING_DOWN = "the server is shutting down"
"""The details of a call that ends because the server does."""


class OpenCalls:
    """The tasks of the calls. The library makes them, but does not wait for them when it stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    async def serve(self, work: Coroutine[Any, Any, None]) -> bool:
        """Serve a call, in the task that the library has made for it.

        Returns:
            Whether the server has cut it off. Then the status is to be set: the library would make
            it UNAVAILABLE, which asks clients to do it all again.
        """
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await work
        except asyncio.CancelledError:
            if not self._ended or task.uncancel():  # its client is gone
                raise
            return True
        return False

    async def cut_off(self, seconds: float) -> None:
        """Cut off what is being served, and wait until the statuses are sent, but no longer."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        await self.over(seconds)

    async def over(self, seconds: float) -> None:
        """Wait until the tasks are over, but no longer than some seconds."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
