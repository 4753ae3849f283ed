"""A bounded queue whose items give their places back when they are not needed any more."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class PendingQueue(Generic[ItemT]):
    """Items in order, from one task to another.

    Unlike in `asyncio.Queue`, an item can be taken out of the middle. So what is not needed any
    more never holds up what is.

    Args:
        max_items: Items that may wait; at least 1.
    """

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._items: deque[ItemT] = deque()
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()

    def full(self) -> bool:
        """Whether `max_items` items wait."""
        return len(self._items) >= self._max_items

    async def put(self, item: ItemT) -> None:
        """Append an item; waits until there is room."""
        while self.full():
            self._roomy.clear()
            await self._roomy.wait()
        self.put_nowait(item)

    def put_nowait(self, item: ItemT) -> None:
        """Append an item; the queue must not be full."""
        assert not self.full()
        self._items.append(item)
        self._filled.set()

    async def get(self) -> ItemT:
        """Take the first item; waits until there is one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        self._roomy.set()
        return item

    def discard(self, item: ItemT) -> bool:
        """Take out an item, wherever it is; returns whether it waited here."""
        if item not in self._items:
            return False
        self._items.remove(item)
        self._roomy.set()
        return True
