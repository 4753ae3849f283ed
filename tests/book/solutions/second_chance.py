"""Two queues, and a set of those who had their chance."""

from collections import deque
from collections.abc import Sequence


class Jobs:
    """Jobs that run again are alone, and first."""

    def __init__(self, count: int, batch_size: int) -> None:
        self._waiting = deque(range(count))
        self._again: deque[int] = deque()
        self._died: set[int] = set()
        """Jobs whose worker died once."""
        self._batch_size = batch_size

    def next_batch(self) -> list[int]:
        """One that runs again, or as many new ones as fit."""
        if self._again:
            return [self._again.popleft()]
        size = min(self._batch_size, len(self._waiting))
        return [self._waiting.popleft() for _ in range(size)]

    def died(self, batch: Sequence[int]) -> list[int]:
        """Each once more, unless it has died before."""
        failed = [job for job in batch if job in self._died]
        self._died.update(batch)
        self._again.extend(job for job in batch if job not in failed)
        return failed

    def hung(self, batch: Sequence[int]) -> list[int]:
        """One of several: each alone. A single one: it was this."""
        if len(batch) == 1:
            return list(batch)
        self._again.extend(batch)
        return []
