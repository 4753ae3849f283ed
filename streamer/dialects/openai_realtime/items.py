"""OpenAI's items, made of the pipeline's events. Pure.

An item is a piece of the client's audio. With `turn_detection`, each segment is one: it is begun
by `active`, committed by `inactive`, and its transcript is the `segment`. Without, the client
commits: the item is all audio since the last commit, and has the text of several segments.

A segment belongs to the item that was open when its speech began. `active` and `inactive` of audio
behind a flush are sent after its `flushed`, so until then everything belongs to the flush; in the
same way, everything before `Cleared` belongs to what is discarded.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from streamer.dialects.openai_realtime.deltas import GrowingText
from streamer.dialects.openai_realtime.replies import ClearAsked, CommitAsked, ModeChanged
from streamer.dialects.openai_realtime.server_events import (
    ServerEvent,
    cleared,
    committed,
    completed,
    delta,
    failed,
    speech_started,
    speech_stopped,
)
from streamer.http.openai_answers import LogprobsOfText
from streamer.http.render import output_text
from streamer.protocol.actions import Cleared
from streamer.protocol.events import (
    Active,
    ErrorEvent,
    Flushed,
    Inactive,
    Interim,
    Segment,
    Stopped,
)


@dataclass(slots=True, eq=False)
class _Item:
    """An item that is not completed."""

    id: str
    logprobs: LogprobsOfText
    has_deltas: bool = False
    """Whether one was sent."""
    texts: list[str] = field(default_factory=list)
    """Of its segments."""
    failures: list[ErrorEvent] = field(default_factory=list)
    discarded: bool = False


@dataclass(slots=True, eq=False)
class _Expected:
    """A segment whose speech has begun and whose result is not there."""

    item: _Item
    manual: bool
    text: GrowingText = field(default_factory=GrowingText)


@dataclass(slots=True, eq=False)
class _Flush:
    """A flush or a clear that is not answered.

    Attributes:
        manual: The item is committed by the client; else, segments are items by themselves.
        item: What is going to be completed; None = nothing, or a segment that is one.
        committed: Whether a segment was, since.
    """

    kind: Literal["commit", "clear"]
    manual: bool
    item: _Item | None
    seconds: float = 0.0
    committed: bool = False


class Items:
    """The items of one session.

    Args:
        mode: At its beginning.
        new_id: Makes the id of an item.
    """

    def __init__(self, mode: ModeChanged, new_id: Callable[[], str]) -> None:
        self._mode = mode
        self._new_id = new_id
        self._open: _Item | None = None
        """What the client will commit."""
        self._expected: deque[_Expected] = deque()
        self._speaking: _Expected | None = None
        """Of which `inactive` has not come."""
        self._flushes: deque[_Flush] = deque()
        self._last_id: str | None = None
        """Of the item that was committed last."""
        self._ended_s = 0.0
        """Seconds of the session: where the last item ended, or what was discarded."""
        self._offset_s = 0.0
        """Seconds of the streams before this one: OpenAI's time goes on for a whole session."""

    def on_mode(self, mode: ModeChanged) -> None:
        """The settings have changed."""
        self._mode = mode

    def on_commit(self, asked: CommitAsked) -> Iterator[ServerEvent]:
        """The client commits."""
        if not self._mode.manual:
            self._flushes.append(_Flush("commit", manual=False, item=None, seconds=asked.seconds))
            return
        item, self._open = self._open or self._new_item(), None
        self._flushes.append(_Flush("commit", manual=True, item=item, seconds=asked.seconds))
        yield from self._commit(item)

    def on_clear(self, asked: ClearAsked) -> Iterator[ServerEvent]:
        """The client discards what is not committed."""
        if self._open is not None:
            self._open.discarded, self._open = True, None
        if self._speaking is not None and not self._speaking.manual:
            self._speaking.item.discarded = True
        if asked.answered:
            self._flushes.append(_Flush("clear", manual=True, item=None))
        yield cleared()

    def on_active(self, event: Active) -> Iterator[ServerEvent]:
        """Speech has begun."""
        flush = self._flushes[0] if self._flushes else None
        manual = flush.manual if flush else self._mode.manual
        item = self._item_of_speech(flush, manual=manual)
        self._speaking = _Expected(item, manual)
        self._expected.append(self._speaking)
        if not manual:
            start_ms = self._ms(event.time) - self._mode.prefix_ms
            yield speech_started(item.id, max(0, start_ms))

    def on_inactive(self, event: Inactive) -> Iterator[ServerEvent]:
        """Speech has ended."""
        ended, self._speaking = self._speaking, None
        if ended is None or ended.manual or ended.item.discarded:
            return
        if self._flushes:
            self._flushes[0].committed = True
        self._ended_s = self._offset_s + event.time
        yield speech_stopped(ended.item.id, self._ms(event.time))
        yield from self._commit(ended.item)

    def on_interim(self, event: Interim) -> Iterator[ServerEvent]:
        """What a segment holds so far."""
        text = event.output.get("text")
        if self._expected and isinstance(text, str):
            expected = self._expected[0]
            yield from self._delta(expected, expected.text.interim(text))

    def on_segment(self, event: Segment) -> Iterator[ServerEvent]:
        """The text of a segment."""
        if not self._expected:
            return
        expected = self._expected.popleft()
        item, text = expected.item, output_text(event)
        yield from self._delta(expected, expected.text.final(text))
        if text:
            item.texts.append(text)
            item.logprobs.add(event)
        if not (expected.manual or item.discarded):
            yield _done(item, event.end_time - event.start_time)

    def on_failure(self, event: ErrorEvent) -> Iterator[ServerEvent]:
        """A segment has no result."""
        if not self._expected:
            return
        expected = self._expected.popleft()
        if expected.manual:
            expected.item.failures.append(event)
        elif not expected.item.discarded:
            yield failed(expected.item.id, event)

    def on_flushed(self, event: Flushed) -> Iterator[ServerEvent]:
        """All results of the audio before a flush are there."""
        if not self._flushes:
            return
        flush = self._flushes.popleft()
        time_s = self._offset_s + event.time
        since_s, self._ended_s = time_s - self._ended_s, max(self._ended_s, time_s)
        if not flush.manual and flush.committed:
            return
        item = flush.item
        if item is None:  # there was no speech
            item = self._new_item()
            yield from self._commit(item)
        # Segments are items without `turn_detection: null`, and the client has not counted them.
        seconds = flush.seconds if flush.manual else min(flush.seconds, max(0.0, since_s))
        yield from self._complete(item, seconds)

    def on_cleared(self, event: Cleared) -> None:
        """What was open is discarded, and gets no result."""
        self._ended_s = self._offset_s + event.time
        if self._flushes:
            self._flushes.popleft()
        self._expected.clear()
        self._speaking = None

    def on_stopped(self, event: Stopped) -> None:
        """A stream has ended; another may follow."""
        self._offset_s += event.audio_seconds
        self._expected.clear()
        self._speaking = None

    def on_end(self) -> Iterator[ServerEvent]:
        """The session ends: what the client has not committed is an item.

        Its deltas were sent, but programs use what is completed, and the next session does not
        have this audio.
        """
        item, self._open = self._open, None
        if item is not None and (item.texts or item.failures):
            yield from self._commit(item)
            yield from self._complete(item, max(0.0, self._offset_s - self._ended_s))

    def _item_of_speech(self, flush: _Flush | None, *, manual: bool) -> _Item:
        if not manual:
            return self._new_item()
        if flush is not None:
            item = flush.item or self._new_item()
            item.discarded = flush.kind == "clear"
            return item
        if self._open is None:
            self._open = self._new_item()
        return self._open

    def _new_item(self) -> _Item:
        return _Item(self._new_id(), LogprobsOfText(requested=self._mode.logprobs))

    def _commit(self, item: _Item) -> Iterator[ServerEvent]:
        before, self._last_id = self._last_id, item.id
        return committed(item.id, before)

    def _complete(self, item: _Item, seconds: float) -> Iterator[ServerEvent]:
        yield _done(item, seconds)
        for failure in item.failures:  # as items of their own: the others' text is not lost
            lost = self._new_item()
            yield from self._commit(lost)
            yield failed(lost.id, failure)

    def _delta(self, expected: _Expected, added: str) -> Iterator[ServerEvent]:
        item = expected.item
        if not added or item.discarded:
            return
        if item.has_deltas and not added[0].isspace():
            added = f" {added}"
        item.has_deltas = True
        yield delta(item.id, added)

    def _ms(self, time_s: float) -> int:
        return round((self._offset_s + time_s) * 1000)


def _done(item: _Item, seconds: float) -> ServerEvent:
    return completed(item.id, " ".join(item.texts), seconds, item.logprobs.all)
