"""What sessions have left goes back to the system, though something small lives on among it."""

import asyncio

import numpy as np
import psutil
import pytest

from streamer.memory import Trimmer, _malloc_trim

MEGABYTE = 1 << 20
PATIENCE_S = 30


@pytest.mark.skipif(_malloc_trim() is None, reason="this C library gives back by itself, or never")
async def test_freed_memory_goes_back_to_the_system() -> None:
    process, trimmer = psutil.Process(), Trimmer()
    blocks = [np.ones(4_096, np.float32) for _ in range(8_000)]
    held = process.memory_info().rss
    survivors = blocks[::100]
    del blocks
    async with asyncio.timeout(PATIENCE_S):
        trimmer.soon()
        trimmer.soon()
        while process.memory_info().rss > held - 60 * MEGABYTE:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert len(survivors) == 80
