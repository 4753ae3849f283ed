"""Which job was it?"""

from collections.abc import Sequence


class Jobs:
    """Jobs that wait, run in batches, and may kill their worker. Pure.

    - Jobs are given out in order of their number, as many as fit in a batch.
    - Jobs of a batch whose worker died or hung run again, each alone, before all that wait, in the
      order in which this happened.
    - A job whose worker has died twice fails, whether it was alone the first time or not.
    - A job that ran alone and hung fails at once.

    Args:
        count: Jobs 0 to count - 1 wait.
        batch_size: Jobs in a batch at most; at least 1.
    """

    def __init__(self, count: int, batch_size: int) -> None:
        raise NotImplementedError

    def next_batch(self) -> list[int]:
        """Return the jobs that a worker gets now; empty if none wait."""
        raise NotImplementedError

    def died(self, batch: Sequence[int]) -> list[int]:
        """The worker of this batch died; return the jobs that fail now."""
        raise NotImplementedError

    def hung(self, batch: Sequence[int]) -> list[int]:
        """The worker of this batch was killed, because it took too long; return those that fail."""
        raise NotImplementedError
