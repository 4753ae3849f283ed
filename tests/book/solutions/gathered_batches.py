"""A list of what waits, and a timer that is forgotten before anything can raise."""

import asyncio
from collections.abc import Callable, Sequence


class Batcher:
    """Settles one batch after another."""

    def __init__(self, compute: Callable[[Sequence[int]], Sequence[int]], gather_s: float) -> None:
        self._compute = compute
        self._gather_s = gather_s
        self._waiting: list[tuple[int, asyncio.Future[int]]] = []

    def submit(self, item: int) -> "asyncio.Future[int]":
        """The first item of a batch sets its timer."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        if not self._waiting:
            loop.call_later(self._gather_s, self._run)
        self._waiting.append((item, done))
        return done

    def _run(self) -> None:
        # Whatever happens below: the next item finds an empty list, and sets a timer.
        batch, self._waiting = self._waiting, []
        try:
            results = self._compute([item for item, _ in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results for {len(batch)} items")
        except Exception as cause:  # no task awaits a timer
            for _, done in batch:
                if not done.done():
                    error = RuntimeError("the batch failed")
                    error.__cause__ = cause
                    done.set_exception(error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            if not done.done():  # its caller may be cancelled
                done.set_result(result)
