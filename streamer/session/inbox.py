"""What has arrived on a socket and waits to be processed, in order and bounded."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from streamer.vad.batching import Company

T = TypeVar("T")

OVERHEAD_BYTES = 512
"""What a command counts as."""

MESSAGE_BYTES = OVERHEAD_BYTES // 8
"""What a message of audio counts as, besides its bytes."""

BLOCK_BYTES = 65_536
"""Messages are put together until they are so long: more would only make others wait."""


@dataclass(slots=True, eq=False)
class _Block:
    """Audio that lies side by side."""

    begun_s: float
    """When its first message came."""
    last_s: float
    messages: list[bytes] = field(default_factory=list)
    size: int = 0
    enough_s: float | None = None
    """When there was as much as the processor waits for."""

    @property
    def charge(self) -> int:
        return self.size + len(self.messages) * MESSAGE_BYTES


class Inbox(Generic[T]):
    """Commands and audio, in the order of their arrival.

    Putting never waits, so that whoever puts something in decides about the order. The reader of
    the socket awaits `roomy` before it reads on, and TCP slows the client down. Audio that lies
    side by side is taken as one block, so that a backlog costs one pass through the pipeline
    instead of one for each message.

    Args:
        max_bytes: Held before there is no room.
        clock: Says when audio arrived, in seconds.
        company: With whose audio this may be taken before it is all that the processor waits for.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float], company: Company | None) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._items: deque[T | _Block] = deque()
        self._held = 0
        self._least_bytes = 1
        """What the processor waits for."""
        self._company = company
        self._company_bytes: int | None = None
        """With so much it would come along with others; None is never."""
        self._called = False
        """Whether it has been asked to."""
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self.arrived_s = 0.0
        """When what was taken last came in; of a block of audio, when there was enough of it."""
        self._working_on_s: float | None = None
        """When the audio had arrived that is being processed."""
        self.idle_since_s: float | None = None
        """Since when the processor has done everything and waits for more; None while it works."""

    def held_bytes(self) -> int:
        """What waits, as it is counted against the limit."""
        return self._held

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return self._held >= self._max_bytes

    @property
    def oldest_s(self) -> float | None:
        """When the audio arrived that waits for the processor or is being processed, the oldest.

        None without any, and when it is the processor that waits for more.
        """
        if self._working_on_s is not None:
            return self._working_on_s
        if self.idle_since_s is not None:
            return None
        return next((item.begun_s for item in self._items if isinstance(item, _Block)), None)

    def put(self, command: T) -> None:
        """Append a command."""
        self._items.append(command)
        self._count(OVERHEAD_BYTES)
        self._filled.set()

    def put_audio(self, audio: bytes) -> None:
        """Append audio."""
        now_s = self._clock()
        last = self._items[-1] if self._items else None
        if not isinstance(last, _Block) or last.size >= BLOCK_BYTES:
            last = _Block(now_s, now_s)
            self._items.append(last)
        last.last_s = now_s
        last.messages.append(audio)
        last.size += len(audio)
        self._count(len(audio) + MESSAGE_BYTES)
        if self._enough(self._least_bytes):
            if last.enough_s is None:
                last.enough_s = now_s
            self._filled.set()
        else:
            self._offer(last)

    def clear(self) -> None:
        """Let go of everything that waits; nobody puts anything in or takes it any more."""
        self._items.clear()
        self._held = 0

    async def wait_for_room(self) -> None:
        """Wait until there is room for more."""
        await self._roomy.wait()

    async def get(self, least_bytes: int = 1, company_bytes: int | None = None) -> T | bytes:
        """The next command, or the audio up to the next command as one block.

        Args:
            least_bytes: Less audio than this waits for more of it, or for a command. When there is
                no room for more, it does not wait.
            company_bytes: With so much of it, less than that, it does not wait when the company is
                called. None is never.
        """
        self._working_on_s = None
        self._least_bytes = least_bytes
        if not self._enough(least_bytes):
            self.idle_since_s = self._clock()
            self._company_bytes, self._called = company_bytes, False
            self._want_more()
            try:
                while not (self._called or self._enough(least_bytes)):
                    self._filled.clear()
                    await self._filled.wait()
            finally:
                self._company_bytes = None
                if self._company is not None:
                    self._company.withdraw(self._come)
            self.idle_since_s = None
        item = self._items.popleft()
        if not isinstance(item, _Block):
            self._count(-OVERHEAD_BYTES)
            self.arrived_s = self._clock()
            return item
        self.arrived_s = item.last_s if item.enough_s is None else item.enough_s
        self._working_on_s = self.arrived_s
        self._count(-item.charge)
        return item.messages[0] if len(item.messages) == 1 else b"".join(item.messages)

    def _want_more(self) -> None:
        """What was enough, by what was wanted before, is not."""
        if self._items and isinstance(first := self._items[0], _Block):
            first.enough_s = None
            self._offer(first)

    def _offer(self, block: _Block) -> None:
        if self._company is None or self._company_bytes is None:
            return
        if block.size >= self._company_bytes:
            self._company.offer(self._come)

    def _come(self) -> None:
        self._called = True
        self._filled.set()

    def _enough(self, least_bytes: int) -> bool:
        if not self._items:
            return False
        first = self._items[0]
        alone = len(self._items) == 1
        return not (alone and isinstance(first, _Block) and first.size < least_bytes) or self.full

    def _count(self, size: int) -> None:
        self._held += size
        if self._held >= self._max_bytes:
            self._roomy.clear()
        elif size < 0:
            self._roomy.set()
