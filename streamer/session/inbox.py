"""What has arrived on a socket and is not executed yet: actions and audio, in order, bounded."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from streamer.memory import LightEvent

ActionT = TypeVar("ActionT")

ACTION_BYTES = 512
"""Bytes that an action counts as, besides those of the frame that it came in."""

MESSAGE_CHARGE_BYTES = ACTION_BYTES // 8
"""Bytes that a message of audio counts as, besides its own."""

BLOCK_BYTES = 65_536
"""Bytes from which a block takes no more messages: longer blocks would delay other sessions."""


class Invitations(Protocol):
    """May let `Inbox.get` return before `least_bytes` have arrived."""

    def register(self, wake: Callable[[], None]) -> None:
        """Call `wake` at most once, at any time until it is unregistered."""

    def unregister(self, wake: Callable[[], None]) -> None:
        """Do not call `wake` any more; no error if it was called or never registered."""


@dataclass(slots=True, eq=False)
class _Block:
    """Messages of audio with no action in between."""

    first_s: float
    """When the first message arrived."""
    last_s: float
    """When the last message arrived."""
    messages: list[bytes] = field(default_factory=list)
    size: int = 0
    """Bytes of all messages."""
    charge: int = 0
    """Bytes that they count as."""
    sufficient_s: float | None = None
    """When `least_bytes` had arrived. None = not yet."""


@dataclass(slots=True, eq=False, frozen=True)
class _Queued(Generic[ActionT]):
    """An action, and the bytes that it counts as."""

    action: ActionT
    charge: int


class Inbox(Generic[ActionT]):
    """Actions and audio, in the order of their arrival.

    Putting never waits, so the order of the calls is the order of the items. The reader of the
    socket awaits `wait_for_room` before it reads on, and TCP slows the client down. Consecutive
    messages of audio are taken as one block, so that a backlog costs one pass through the pipeline
    instead of one for each message.

    Args:
        max_bytes: The inbox is full from this number of bytes on.
        clock: Returns the time in seconds.
        invitations: May wake `get` before `least_bytes` have arrived. None = nothing does.

    Attributes:
        weight: Bytes that a byte of audio counts as from now on: more than 1 if it is compressed.
    """

    def __init__(
        self,
        max_bytes: int,
        clock: Callable[[], float],
        invitations: Invitations | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self.weight = 1
        self._items: deque[_Queued[ActionT] | _Block] = deque()
        self._held_bytes = 0
        self._least_bytes = 1
        """Of the last `get`."""
        self._invitations = invitations
        self._joinable_bytes: int | None = None
        """From this many bytes on, accept an invitation; None = never."""
        self._invited = False
        """Whether an invitation has woken the pending `get`."""
        self._changed = LightEvent()
        """Set when the pending `get` may be able to return."""
        self._has_room = LightEvent()
        self._has_room.set()
        self.arrived_s = 0.0
        """When the item taken last arrived; for a block of audio, when it was sufficient."""
        self._working_on_s: float | None = None
        """When the audio that is being processed arrived. None = no audio is being processed."""
        self.idle_since_s: float | None = None
        """Since when the executor waits for more. None = it is working."""

    def held_bytes(self) -> int:
        """Bytes that count against `max_bytes`."""
        return self._held_bytes

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return self._held_bytes >= self._max_bytes

    @property
    def awaits_audio(self) -> bool:
        """Whether `get` waits, and what there is does not suffice: no action, and too little audio.

        What is put now is taken with later audio, or with the next action.
        """
        return (
            self.idle_since_s is not None
            and not self._invited
            and not self._is_sufficient(self._least_bytes)
        )

    @property
    def oldest_s(self) -> float | None:
        """When the oldest audio arrived that is being processed, or waits for the executor.

        None = there is none, or the executor waits for more.
        """
        if self._working_on_s is not None:
            return self._working_on_s
        if self.idle_since_s is not None:
            return None
        return next((item.first_s for item in self._items if isinstance(item, _Block)), None)

    def put(self, action: ActionT, frame_bytes: int = 0) -> None:
        """Append an action.

        Args:
            action: To be executed in its turn.
            frame_bytes: Of the frame that it came in: it may hold as much.
        """
        queued = _Queued(action, ACTION_BYTES + frame_bytes)
        self._items.append(queued)
        self._charge(queued.charge)
        self._changed.set()

    def put_audio(self, audio: bytes) -> None:
        """Append audio."""
        now_s, size = self._clock(), len(audio)
        last = self._items[-1] if self._items else None
        if not isinstance(last, _Block) or last.size >= BLOCK_BYTES:
            last = _Block(now_s, now_s)
            self._items.append(last)
        charge = size * self.weight + MESSAGE_CHARGE_BYTES
        last.last_s = now_s
        last.messages.append(audio)
        last.size += size
        last.charge += charge
        self._charge(charge)
        if last.size >= self._least_bytes or len(self._items) > 1 or self.full:
            if last.sufficient_s is None:
                last.sufficient_s = now_s
            self._changed.set()
        elif self._joinable_bytes is not None and last.size >= self._joinable_bytes:
            self._register()

    def progressed(self, audio_s: float) -> None:
        """Seconds of audio from the block that was taken last have been processed.

        A small block may hold minutes of compressed audio. In real time, the rest of it would have
        arrived later, so it has waited for less.
        """
        if self._working_on_s is not None:
            self._working_on_s += audio_s

    def release(self) -> None:
        """Release the memory of all items; the inbox must not be used any more."""
        self._items.clear()
        self._held_bytes = 0

    async def wait_for_room(self) -> None:
        """Wait until there is room for more."""
        await self._has_room.wait()

    async def get(self, least_bytes: int = 1, joinable_bytes: int | None = None) -> ActionT | bytes:
        """The next action, or the audio up to the next action as one block.

        Args:
            least_bytes: Wait until this many bytes of audio have arrived, or an action after them,
                or the inbox is full.
            joinable_bytes: From this many bytes on, accept an invitation; None = never.
        """
        self._working_on_s = None
        self._least_bytes = least_bytes
        if not self._is_sufficient(least_bytes):
            self.idle_since_s = self._clock()
            self._joinable_bytes, self._invited = joinable_bytes, False
            self._reconsider_first_block()
            try:
                while not (self._invited or self._is_sufficient(least_bytes)):
                    self._changed.clear()
                    await self._changed.wait()
            finally:
                self._joinable_bytes = None
                if self._invitations is not None:
                    self._invitations.unregister(self._accept_invitation)
            self.idle_since_s = None
        item = self._items.popleft()
        if not isinstance(item, _Block):
            self._charge(-item.charge)
            self.arrived_s = self._clock()
            return item.action
        self.arrived_s = item.last_s if item.sufficient_s is None else item.sufficient_s
        self._working_on_s = self.arrived_s
        self._charge(-item.charge)
        return item.messages[0] if len(item.messages) == 1 else b"".join(item.messages)

    def _reconsider_first_block(self) -> None:
        """A new `get` needs more: mark the first block as not sufficient."""
        if self._items and isinstance(first := self._items[0], _Block):
            first.sufficient_s = None
            if self._joinable_bytes is not None and first.size >= self._joinable_bytes:
                self._register()

    def _register(self) -> None:
        if self._invitations is not None:
            self._invitations.register(self._accept_invitation)

    def _accept_invitation(self) -> None:
        self._invited = True
        self._changed.set()

    def _is_sufficient(self, least_bytes: int) -> bool:
        """Whether `get` can return the first item."""
        if not self._items:
            return False
        if len(self._items) > 1 or self._held_bytes >= self._max_bytes:
            return True
        first = self._items[0]
        return not isinstance(first, _Block) or first.size >= least_bytes

    def _charge(self, size: int) -> None:
        """Count bytes that were put (positive) or taken (negative)."""
        self._held_bytes += size
        if self._held_bytes >= self._max_bytes:
            self._has_room.clear()
        elif size < 0:
            self._has_room.set()
