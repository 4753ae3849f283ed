"""What has arrived on a socket and waits to be processed, in order and bounded."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

OVERHEAD_BYTES = 512
"""What a command counts as; a message of audio counts as its bytes and a part of this."""


@dataclass(slots=True)
class _Audio:
    """Messages that lie side by side, and when the first of them came."""

    messages: list[bytes]
    arrived_s: float


class Inbox(Generic[T]):
    """Commands and audio, in the order of their arrival.

    Putting waits while `max_bytes` are held; the reader of the socket then does not read on, and
    TCP slows the client down. Audio that lies side by side is taken as one block, so that a
    backlog costs one pass through the pipeline instead of one for each message.

    Args:
        max_bytes: Held before putting waits.
        clock: Says when audio arrived, in seconds.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._items: deque[T | _Audio] = deque()
        self._held = 0
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self.idle = False
        """Whether the processor has done everything and waits for more."""
        self.arrived_s = 0.0
        """When what was taken last came in; of a block of audio, its beginning."""

    def held_bytes(self) -> int:
        """What waits, as it is counted against the limit."""
        return self._held

    async def put(self, command: T) -> None:
        """Append a command, once there is room."""
        await self._roomy.wait()
        self._items.append(command)
        self._count(OVERHEAD_BYTES)
        self._filled.set()

    async def put_audio(self, audio: bytes) -> None:
        """Append audio, once there is room."""
        await self._roomy.wait()
        last = self._items[-1] if self._items else None
        if isinstance(last, _Audio):
            last.messages.append(audio)
        else:
            self._items.append(_Audio([audio], self._clock()))
        self._count(_charge([audio]))
        self._filled.set()

    async def get(self) -> T | bytes:
        """The next command, or all the audio up to the next command as one block."""
        while not self._items:
            self._filled.clear()
            self.idle = True
            await self._filled.wait()
            self.idle = False
        item = self._items.popleft()
        if not isinstance(item, _Audio):
            self._count(-OVERHEAD_BYTES)
            self.arrived_s = self._clock()
            return item
        self.arrived_s = item.arrived_s
        self._count(-_charge(item.messages))
        return item.messages[0] if len(item.messages) == 1 else b"".join(item.messages)

    def _count(self, size: int) -> None:
        self._held += size
        if self._held < self._max_bytes:
            self._roomy.set()
        else:
            self._roomy.clear()


def _charge(messages: list[bytes]) -> int:
    return sum(map(len, messages)) + len(messages) * OVERHEAD_BYTES // 8
