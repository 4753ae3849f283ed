"""What a channel has not sent yet, and the queue in which it waits."""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from streamer.inference.job import NO_AUDIO, SegmentAudio
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from streamer.memory import LightEvent
from streamer.model import SegmentRequest
from streamer.observe.timeline import Timeline
from streamer.protocol.actions import Cleared
from streamer.protocol.events import Active, Flushed, Inactive, Resumed, SegmentEnd

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class ResultSettings:
    """What a segment is inferred with, from its beginning on.

    Attributes:
        pool: Workers of the model.
        request: What the client requests beside the model's usual output.
        interims_in_pauses: Whether the client wants an interim when speech pauses.
        eager: Whether it wants to be told that this may be the final, and that it is not.
    """

    pool: WorkerPool
    request: SegmentRequest
    interims_in_pauses: bool = False
    eager: bool = False

    @property
    def model(self) -> str:
        """The model's name."""
        return self.pool.spec.name


@dataclass(slots=True, eq=False)
class PendingResult:
    """The result of a segment, final or interim, that a channel has not sent yet.

    Attributes:
        audio: Empty once the pool holds it, for as long as it needs it.
        start_time: Start of the audio, in seconds from the start of the stream.
        end_time: End of the audio, in the same way.
        samples: Length of the audio, in samples at the client's rate; counts for finals only.
        final: Whether the segment is whole. An early final is not, until its pause has ended it.
        timeline: The segment's history.
        request: What is wanted of it.
        settings: What it is inferred with.
        ended_by: What has ended the segment.
        withdrawn: Whether the result is not needed any more.
        submission: None until the audio is in the pool.
        early: Of an early final: whether its result was sent as an interim. None = of another
            result, or it is known what has become of it.
    """

    audio: SegmentAudio
    start_time: float
    end_time: float
    final: bool
    timeline: Timeline
    request: SegmentRequest
    settings: ResultSettings
    samples: int = 0
    ended_by: SegmentEnd = "silence"
    withdrawn: bool = False
    submission: Submission | None = None
    early: Literal["open", "shown"] | None = None

    def submitted(self, submission: Submission) -> None:
        """The audio is in the pool."""
        self.submission = submission
        self.audio = NO_AUDIO

    def covers(self, start_time: float, end_time: float) -> bool:
        """Whether it is of exactly this audio."""
        return (self.start_time, self.end_time) == (start_time, end_time)

    @property
    def cancelled(self) -> bool:
        """Whether the pool has given it up: it was withdrawn, or superseded as an interim."""
        return self.submission is not None and self.submission.result.cancelled()

    def withdraw(self) -> bool:
        """The result is not needed any more; returns whether it waited for a worker."""
        self.withdrawn = True
        self.audio = NO_AUDIO
        return self.submission is not None and self.submission.withdraw()


@dataclass(slots=True)
class PendingAnswer:
    """The answer to a flush or to a clear, which waits for the results of the audio before.

    Attributes:
        answer: What is sent.
        held: Events of later audio that wait for it.
    """

    answer: Flushed | Cleared
    held: list[Active | Inactive | Resumed] = field(default_factory=list)


class PendingQueue(Generic[ItemT]):
    """Items in order, from one task to another; of a bounded number.

    Unlike in `asyncio.Queue`, an item can be taken out of the middle. So what is not needed any
    more never holds up what is.

    Args:
        max_items: Items that may wait; at least 1.
    """

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._items: deque[ItemT] = deque()
        self._filled = LightEvent()
        self._roomy = LightEvent()

    def full(self) -> bool:
        """Whether `max_items` items wait."""
        return len(self._items) >= self._max_items

    async def put(self, item: ItemT) -> None:
        """Append an item; waits until there is room."""
        while self.full():
            self._roomy.clear()
            await self._roomy.wait()
        self.put_nowait(item)

    def put_nowait(self, item: ItemT) -> None:
        """Append an item; the queue must not be full."""
        assert not self.full()
        self._items.append(item)
        self._filled.set()

    async def get(self) -> ItemT:
        """Take the first item; waits until there is one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        self._roomy.set()
        return item

    def discard(self, item: ItemT) -> bool:
        """Take out an item, wherever it is; returns whether it waited here."""
        if item not in self._items:
            return False
        self._items.remove(item)
        self._roomy.set()
        return True
