"""Check of the exercise `gathered_batches`."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.book.exercise import load
from tests.virtual_time import in_virtual_time

answer = load("gathered_batches")


class Squares:
    """Computes squares, and remembers its batches. Refuses 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        if 13 in items:
            raise ValueError("13")
        return [item * item for item in items if item != 7]


@in_virtual_time
async def test_what_comes_together_is_computed_together() -> None:
    squares = Squares()
    batcher = answer.Batcher(squares, 0.01)
    assert await asyncio.gather(*(batcher.submit(item) for item in (3, 1, 2))) == [9, 1, 4]
    assert await batcher.submit(5) == 25
    assert squares.batches == [[3, 1, 2], [5]]


@in_virtual_time
async def test_a_batch_stays_open_for_its_time() -> None:
    squares = Squares()
    batcher = answer.Batcher(squares, 0.01)
    first = batcher.submit(1)
    await asyncio.sleep(0.009)
    second = batcher.submit(2)
    await asyncio.sleep(0.002)
    assert await batcher.submit(3) == 9
    assert (first.result(), second.result()) == (1, 4)
    assert squares.batches == [[1, 2], [3]]


@in_virtual_time
async def test_a_batch_that_fails_is_the_only_one() -> None:
    batcher = answer.Batcher(Squares(), 0.01)
    failed = await asyncio.gather(batcher.submit(1), batcher.submit(13), return_exceptions=True)
    assert [type(error) for error in failed] == [RuntimeError, RuntimeError]
    assert all(isinstance(error.__cause__, ValueError) for error in failed)
    async with asyncio.timeout(1):
        assert await batcher.submit(4) == 16


@in_virtual_time
async def test_another_number_of_results_is_a_failure() -> None:
    batcher = answer.Batcher(Squares(), 0.01)
    found = await asyncio.gather(batcher.submit(6), batcher.submit(7), return_exceptions=True)
    assert [type(error) for error in found] == [RuntimeError, RuntimeError]
    async with asyncio.timeout(1):
        assert await batcher.submit(2) == 4


@in_virtual_time
async def test_a_caller_that_is_cancelled_leaves_the_others_alone() -> None:
    batcher = answer.Batcher(Squares(), 0.01)
    gone = batcher.submit(1)
    stays = batcher.submit(2)
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


@in_virtual_time
async def test_an_item_that_comes_during_the_computation_is_in_the_next_batch() -> None:
    more: list[asyncio.Future[int]] = []

    def compute(items: Sequence[int]) -> list[int]:
        if not more:
            more.append(batcher.submit(100))
        return [-item for item in items]

    batcher = answer.Batcher(compute, 0.01)
    assert await batcher.submit(1) == -1
    async with asyncio.timeout(1):
        assert await more[0] == -100
