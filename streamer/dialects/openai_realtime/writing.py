"""The writing side of the dialect: events of the pipeline become frames, in the order of events."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import msgspec

from streamer.dialects.openai_realtime import server_events
from streamer.dialects.openai_realtime.items import Items
from streamer.dialects.openai_realtime.messages import Problem
from streamer.dialects.openai_realtime.replies import (
    ClearAsked,
    CommitAsked,
    ModeChanged,
    SessionChanged,
)
from streamer.dialects.openai_realtime.server_events import ServerEvent
from streamer.protocol.actions import Cleared, Reply
from streamer.protocol.events import (
    Active,
    ErrorEvent,
    Event,
    Flushed,
    Inactive,
    Interim,
    Segment,
    Stopped,
)

MAX_PROBLEMS = 1_024
"""More cannot wait in the inbox and the outbox."""


class Writer:
    """Makes the frames of one socket, each with a number.

    Args:
        items: Of the session.
        in_its_words: Makes of an event what the client knows.
    """

    def __init__(
        self, items: Items, in_its_words: Callable[[ServerEvent], Iterable[ServerEvent]]
    ) -> None:
        self._items = items
        self._in_its_words = in_its_words
        self._problems: deque[Problem] = deque(maxlen=MAX_PROBLEMS)
        """Of the messages that were refused, and whose `error` is not sent."""
        self._events = 0
        """Messages that were sent."""

    def begin(self, mode: ModeChanged) -> None:
        """The session begins with these settings."""
        self._items.on_mode(mode)

    def expect_error(self, problem: Problem) -> None:
        """A message is refused for this reason; an `ErrorEvent` with the same text follows."""
        self._problems.append(problem)

    def frames(self, item: Event | Cleared | Reply) -> Iterator[str]:
        """The frames of an event."""
        for event in self._events_of(item):
            yield from self.encode(event)

    def end(self) -> Iterator[str]:
        """The last frames before the server closes the socket."""
        for event in self._items.on_end():
            yield from self.encode(event)

    def encode(self, event: ServerEvent) -> Iterator[str]:
        """The frames of a message to the client."""
        for shown in self._in_its_words(event):
            self._events += 1
            numbered = {"type": shown["type"], "event_id": f"event_{self._events}", **shown}
            yield msgspec.json.encode(numbered).decode()

    def _events_of(self, item: Event | Cleared | Reply) -> Iterable[ServerEvent]:
        items = self._items
        match item:
            case Active():
                return items.on_active(item)
            case Inactive():
                return items.on_inactive(item)
            case Interim():
                return items.on_interim(item)
            case Segment():
                return items.on_segment(item)
            case Flushed():
                return items.on_flushed(item)
            case Cleared():
                items.on_cleared(item)
            case Stopped():
                items.on_stopped(item)
            case ErrorEvent():
                return self._error(item)
            case Reply(content=CommitAsked() as asked):
                return items.on_commit(asked)
            case Reply(content=ClearAsked() as cleared):
                return items.on_clear(cleared)
            case Reply(content=SessionChanged(kind, content, mode)):
                items.on_mode(mode)
                return (server_events.session(kind, content()),)
            case _:
                pass
        return ()

    def _error(self, failure: ErrorEvent) -> Iterable[ServerEvent]:
        if failure.start_time is not None:
            return self._items.on_failure(failure)
        problems = self._problems
        if problems and problems[0].message == failure.message:
            return (server_events.error_about(problems.popleft()),)
        return (server_events.error(failure),)
