"""An event loop whose time passes only while it has nothing to do, and then at once."""

import asyncio
import selectors


class _Selector(selectors.DefaultSelector):
    """Never waits: the time for which it would have waited is over."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is going to happen any more"
        self.now_s += max(0.0, timeout)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop without real time, for code that uses no files and no sockets."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._virtual.now_s

    async def quiet(self) -> None:
        """Wait until all that can happen without time has happened."""
        for _ in range(20):
            await asyncio.sleep(0)
