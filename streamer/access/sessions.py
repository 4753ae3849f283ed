"""All that is going on in a server: who may come in, and how everything ends in order."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Protocol

from streamer.access.registry import Admission, Refusal
from streamer.config.schema import LimitsConfig
from streamer.memory import Trimmer

STREAM_ON, FINISH = 0.5, 0.9
"""Parts of `limits.drain_seconds`: streams may go on for the first, and what they are owed is
delivered within the second. The rest is for the closing."""


class Drainable(Protocol):
    """A session, as far as the end of the server concerns it."""

    def drain(self, deadline_seconds: float) -> None:
        """Say that the server is going away; the stream may go on for so long."""

    def finish(self) -> None:
        """End the stream now, deliver what it is owed, and close."""


class Sessions:
    """The sessions that are open, and the requests that are being answered."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._admission = Admission(limits)
        self._drain_s = limits.drain_seconds
        self._open: set[Drainable] = set()
        self._busy = 0
        self._empty = asyncio.Event()
        self._trimmer = Trimmer()
        self.draining = False

    @property
    def waited_for(self) -> int:
        """Sessions and requests that the end of the server waits for."""
        return self._busy

    def refusal(self, address: str, queue_seconds: float) -> Refusal | None:
        """Why a new session has to be refused; None when it has not."""
        if self.draining:
            return Refusal("the server is shutting down", max(1, round(self._drain_s)))
        return self._admission.refusal(address, queue_seconds)

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[None]:
        """A session from an address takes up its place."""
        self._admission.enter(address)
        try:
            yield
        finally:
            self._admission.leave(address)

    @contextlib.contextmanager
    def opened(self, session: Drainable) -> Iterator[None]:
        """A session is open; it is told when the server ends."""
        self._open.add(session)
        try:
            with self.busy():
                yield
        finally:
            self._open.discard(session)

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Something is going on that the end of the server waits for."""
        self._busy += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._busy -= 1
            self._trimmer.soon()
            if not self._busy:
                self._empty.set()

    async def drain(self) -> None:
        """Refuse whatever is new, and wait for what there is: for a while, then no longer."""
        self.draining = True
        for session in list(self._open):
            session.drain(self._drain_s * STREAM_ON)
        if await self._emptied(self._drain_s * STREAM_ON):
            return
        for session in list(self._open):
            session.finish()
        await self._emptied(self._drain_s * (FINISH - STREAM_ON))

    async def _emptied(self, seconds: float) -> bool:
        if not self._busy:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        return not self._busy
