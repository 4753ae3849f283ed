"""Calls that would hold up the event loop, made in a thread."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, but it never leaves the thread behind.

    When cancelled it waits for the call to end, because the cancelled task then closes the files
    that the call is using.
    """
    work = asyncio.get_running_loop().run_in_executor(None, lambda: call(*args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait((work,))
        work.exception()  # asyncio warns of an exception that is never retrieved
        raise
