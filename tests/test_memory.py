"""Events that take little; and what sessions have left goes back to the system."""

import asyncio
import tracemalloc

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.memory import LightEvent, Trimmer, has_heap

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


STEPS = st.lists(
    st.sampled_from(["set", "clear", "run"]) | st.tuples(st.just("wait")) | st.integers(0, 5)
)
"""What happens to an event; a number cancels the task of this number that waits."""


@given(STEPS)
def test_a_light_event_is_one_of_asyncios(steps: list[str | tuple[str] | int]) -> None:
    async def outcomes(event: asyncio.Event | LightEvent) -> list[object]:
        found: list[object] = []
        waiting: list[asyncio.Task[bool]] = []
        async with asyncio.TaskGroup() as tasks:
            for step in steps:
                match step:
                    case "set":
                        event.set()
                    case "clear":
                        event.clear()
                    case int(number) if number < len(waiting):
                        waiting[number].cancel()
                    case (str(),):
                        waiting.append(tasks.create_task(event.wait()))
                    case _:
                        await asyncio.sleep(0)
                        await asyncio.sleep(0)
                found.append((event.is_set(), [task.done() for task in waiting]))
            for task in waiting:
                task.cancel()
        return [*found, *[task.cancelled() for task in waiting]]

    assert asyncio.run(outcomes(LightEvent())) == asyncio.run(outcomes(asyncio.Event()))


async def test_a_light_event_takes_little_memory_before_a_task_waits_and_after_it() -> None:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    events = [LightEvent() for _ in range(1_000)]
    made, _ = tracemalloc.get_traced_memory()
    for event in events:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(event.wait())
            await asyncio.sleep(0)
            event.set()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (made - before) / 1_000 < 100
    assert (after - made) / 1_000 < 30
