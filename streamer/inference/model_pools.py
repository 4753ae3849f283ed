"""Several models in one server: a worker pool for each, and how they share the machine."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streamer.inference.pool import WorkerPool


def worker_shares(configured: Sequence[int], total: int) -> list[int]:
    """How many workers each model gets.

    Args:
        configured: For each model, its own number of workers; 0 for an equal share of what the
            others leave.
        total: Workers of all models together, unless more are configured.

    Returns:
        At least one for each model. The first models get what cannot be shared equally.
    """
    sharing = configured.count(0)
    left = max(0, total - sum(configured))
    each, more = divmod(left, sharing) if sharing else (0, 0)
    equal = iter(max(1, each + (index < more)) for index in range(sharing))
    return [number or next(equal) for number in configured]


WAITS_FOR_REMOTE = "waiting for remote workers; the log has the reason"
"""To clients of a model that no worker runs. The reason itself may name machines."""


class Backlog(NamedTuple):
    """What a new session would have to wait for.

    Attributes:
        seconds: Expected queueing time of its first segment.
        not_ready: Why no worker runs that model, in words for clients; empty = one does.
    """

    seconds: float
    not_ready: str = ""


class Pools:
    """The worker pools of a server, by the names of their models.

    Args:
        pools: In the order of the configuration; the first is the default.
    """

    def __init__(self, pools: Sequence[WorkerPool]) -> None:
        self._pools = {pool.spec.name: pool for pool in pools}
        self.default = pools[0]

    def __iter__(self) -> Iterator[WorkerPool]:
        return iter(self._pools.values())

    def __getitem__(self, model: str | None) -> WorkerPool:
        """The pool of a model, the default pool for None; KeyError when there is none."""
        return self.default if model is None else self._pools[model]

    @property
    def names(self) -> list[str]:
        """The names of the models, in the order of the configuration."""
        return list(self._pools)

    @property
    def ready(self) -> bool:
        """Whether every model is ready."""
        return all(pool.ready for pool in self)

    @property
    def workers_alive(self) -> int:
        """Workers that are loaded now, of all models."""
        return sum(pool.workers_alive for pool in self)

    @property
    def why_not_ready(self) -> str:
        """Why not every model is ready, in words for clients; empty = all are."""
        missing = [pool for pool in self if not pool.ready]
        if any(pool.waits_for_remote for pool in missing):
            return WAITS_FOR_REMOTE
        if missing and len(self._pools) == 1:
            return "the model is loading"
        return f"loading: {', '.join(pool.spec.name for pool in missing)}" if missing else ""

    @property
    def backlog(self) -> Backlog:
        """The longest of all models."""
        longest = max(self, key=lambda pool: pool.queue.expected_wait_s)
        not_ready = "" if longest.ready else self.why_not_ready
        return Backlog(longest.queue.expected_wait_s, not_ready)

    async def run(self) -> None:
        """Keep all workers alive until cancelled.

        Raises:
            ModelCannotLoad: A pool gave up; the message says which one, and why.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                for pool in self:
                    tasks.create_task(pool.run())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def wait_ready(self) -> None:
        """Wait until the workers of every model are warm."""
        for pool in self:
            await pool.wait_ready()
