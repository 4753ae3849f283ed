"""What `connect` returns: the context manager of a stream that is not open yet."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from streamer_client.stream import Stream

_ADVICE = "use 'async with connect(…) as stream:'"


class OpeningStream(AbstractAsyncContextManager[Stream]):
    """Opens the stream in `async with`, and closes its connection at the end of the block.

    Args:
        opened: Makes an asynchronous generator that yields the stream once.
    """

    def __init__(self, opened: Callable[[], AsyncIterator[Stream]]) -> None:
        self._context = asynccontextmanager(opened)()

    async def __aenter__(self) -> Stream:
        return await self._context.__aenter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._context.__aexit__(exc_type, exc, traceback)

    if not TYPE_CHECKING:  # a type checker is to see that there are no such methods

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"connect(…) is not a stream yet, and has no {name!r}: {_ADVICE}")

        def __await__(self) -> NoReturn:
            raise TypeError(f"connect(…) cannot be awaited: {_ADVICE}")

        def __aiter__(self) -> NoReturn:
            raise TypeError(f"connect(…) is not a stream yet, and has no events: {_ADVICE}")

        def __iter__(self) -> NoReturn:
            raise TypeError(f"connect(…) is not a stream yet, and has no events: {_ADVICE}")

        def __enter__(self) -> NoReturn:
            raise TypeError(f"connect(…) is not for 'with': {_ADVICE}")

        def __exit__(self, *_: object) -> None:
            pass
