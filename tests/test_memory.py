"""What sessions have left goes back to the system, though something small lives on among it."""

import asyncio

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from streamer.memory import Trimmer, has_heap

MEGABYTE = 1 << 20
PATIENCE_S = 30

Blocks = list[NDArray[np.float32]]


def blocks() -> Blocks:
    """125 MiB in pieces that glibc does not map one by one."""
    return [np.ones(4_096, np.float32) for _ in range(8_000)]


def some_of(session: Blocks) -> Blocks:
    """Under these the rest stays where it is."""
    return session[::100]


async def goes_back(trimmer: Trimmer, held: int) -> None:
    trimmer.soon()
    trimmer.soon()
    async with asyncio.timeout(PATIENCE_S):
        while psutil.Process().memory_info().rss > held - 60 * MEGABYTE:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.skipif(not has_heap(), reason="this C library cannot be asked")
async def test_freed_memory_goes_back_also_while_another_session_holds_as_much() -> None:
    trimmer = Trimmer()
    first, second = blocks(), blocks()
    survivors = some_of(first) + some_of(second)

    held = psutil.Process().memory_info().rss
    del first
    await goes_back(trimmer, held)

    held = psutil.Process().memory_info().rss
    del second
    await goes_back(trimmer, held)
    assert len(survivors) == 160
