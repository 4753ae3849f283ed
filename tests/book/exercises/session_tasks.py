"""Run the parts of a session under one owner."""

from collections.abc import Awaitable, Callable, Sequence

Part = Callable[[], Awaitable[None]]


async def run_session(parts: Sequence[Part]) -> None:
    """Run all parts at the same time, until the first one returns or fails.

    - When a part returns, the others are cancelled, and this function returns once all have ended.
    - When a part fails, the others are cancelled, and this function raises an `ExceptionGroup` with
      the failure, once all have ended.
    - If a part fails while it is cancelled, its failure is in the group as well, also if another
      part had returned.
    - When this function is cancelled, all parts are, and it ends with `CancelledError`.

    Args:
        parts: At least one.
    """
    raise NotImplementedError
