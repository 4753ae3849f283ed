"""Gather calls of many clients for one batch."""

import asyncio
from collections.abc import Callable, Sequence


class Batcher:
    """Computes the items of several callers together.

    A batch begins with the first item, and is computed `gather_s` later with all items that came
    until then. Items that come while it is computed (the function may add some) are the next batch.

    Args:
        compute: Gets the items of a batch, in the order of their coming; returns as many results.
        gather_s: Seconds; 0 = in the next turn of the event loop.
    """

    def __init__(self, compute: Callable[[Sequence[int]], Sequence[int]], gather_s: float) -> None:
        raise NotImplementedError

    def submit(self, item: int) -> "asyncio.Future[int]":
        """Add an item; returns the future of its result. Must be called in an event loop.

        If `compute` raises, or returns another number of results, every caller of this batch gets a
        `RuntimeError`, whose cause is the exception if there was one. Other batches are as usual. A
        future that is cancelled does not affect the others.
        """
        raise NotImplementedError
