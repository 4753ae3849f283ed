"""When to connect again, and how long to wait before that."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from streamer_client.errors import (
    CannotConnect,
    ConnectionLost,
    ServerError,
    ServerGoingAway,
    StreamerError,
)
from streamer_client.refusals import LATER
from streamer_client.stream import Stream

INITIAL_S = 0.5
"""Seconds to wait before the first attempt, at most."""

LONGEST_S = 30.0
"""Seconds to wait before any attempt, at most, unless the server asks for more."""

STABLE_S = 10.0
"""Seconds; after a stream that lasted this long, the attempts are counted from 1 again."""

PASSING = frozenset({"overloaded", "internal_error", "session_too_long"})
"""Codes of errors after which another stream may succeed."""

Connect = Callable[[], AbstractAsyncContextManager[Stream]]


def may_pass(error: StreamerError) -> bool:
    """Whether another attempt may end better than the one that ended with `error`."""
    match error:
        case CannotConnect():
            return error.status is None or error.status in LATER
        case ServerError():
            return error.code in PASSING
        case _:
            return isinstance(error, ServerGoingAway | ConnectionLost)


def delay_s(attempt: int, retry_after_s: float | None, chance: float) -> float:
    """Return how long to wait before an attempt, the first of which is 1.

    The wait doubles with each attempt, and is never shorter than the server asked for. `chance`,
    from 0 to 1, spreads the clients that lost their connections at the same moment.
    """
    backoff_s = min(LONGEST_S, INITIAL_S * 2.0 ** min(attempt - 1, 16)) * (0.5 + chance / 2)
    return max(backoff_s, (retry_after_s or 0.0) * (1 + chance / 4))


class Reconnector:
    """Opens one stream after another to the same server; an async context manager.

    Args:
        connect: Opens a stream.
        try_for_s: Seconds to try again for after each lost connection; None = do not reconnect.
        show: Shows a line to the user.
    """

    def __init__(
        self, connect: Connect, try_for_s: float | None, show: Callable[[str], None]
    ) -> None:
        self._connect = connect
        self._try_for_s = try_for_s
        self.show = show
        self._stack = AsyncExitStack()
        self._attempt = 0
        self._opened_s = 0.0

    async def __aenter__(self) -> "Reconnector":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    @property
    def reconnects(self) -> bool:
        """Whether lost connections are made again."""
        return self._try_for_s is not None

    async def open(self) -> Stream:
        """Open the first stream. With reconnecting, wait for a server that has no room now.

        Raises:
            StreamerError: as `connect` does.
        """
        try:
            return await self._open()
        except CannotConnect as error:
            if error.status not in LATER or not self.reconnects:
                raise
            return await self.reopen(error)

    async def reopen(self, error: StreamerError) -> Stream:
        """Open another stream in place of the one that ended with `error`.

        Raises:
            StreamerError: `error` when it is final, or what ended the last attempt when it is, or
                `ConnectionLost` when `try_for_s` is over.
        """
        loop = asyncio.get_running_loop()
        await self._stack.aclose()
        if self._try_for_s is None or not may_pass(error):
            raise error
        if self._attempt and loop.time() - self._opened_s >= STABLE_S:
            self._attempt = 0
        give_up_s = loop.time() + self._try_for_s
        while True:
            self._attempt += 1
            asked_s = error.retry_after_s if isinstance(error, CannotConnect) else None
            wait_s = delay_s(self._attempt, asked_s, random.random())  # noqa: S311 – not for secrets
            if loop.time() + wait_s > give_up_s:
                message = f"gave up after {self._try_for_s:g} s of reconnecting: {error}"
                raise ConnectionLost(message, close_code=1006) from error
            self.show(f"{error}; connecting again in {wait_s:.1f} s")
            await asyncio.sleep(wait_s)
            try:
                return await self._open()
            except StreamerError as failure:
                if not may_pass(failure):
                    raise
                error = failure

    async def _open(self) -> Stream:
        stream = await self._stack.enter_async_context(self._connect())
        self._opened_s = asyncio.get_running_loop().time()
        return stream
