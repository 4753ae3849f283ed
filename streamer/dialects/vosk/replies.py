"""The replies to a client of vosk-server: exactly one to each request, in their order. Pure.

Clients send a piece of audio and wait for a reply before they send the next. So a piece is answered
when the detector has had it, or at once if the detector waits for more: with the oldest result that
the client has not got, or else with what is known of the segment that is still growing. `reset` and
the end wait for all results.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from streamer.dialects.vosk.settings import Shape
from streamer.http.spoken_words import (
    UNMEASURED_CONFIDENCE,
    GivenWord,
    bare,
    mean_confidence,
    plain,
)

MAX_OWED = 32
"""Results that a client may not have got yet; if there are more, all come in one reply."""


class Partial(msgspec.Struct, frozen=True):
    """What has been said of a segment that is still growing; "" = nothing."""

    partial: str


class ResultWord(msgspec.Struct, frozen=True):
    """A word; times in seconds from the start of the stream."""

    conf: float
    end: float
    start: float
    word: str


class Result(msgspec.Struct, frozen=True):
    """What has been said."""

    result: list[ResultWord] | UnsetType
    text: str


class Alternative(msgspec.Struct, frozen=True):
    """What has been said, as the only one of several possibilities."""

    confidence: float
    result: list[ResultWord] | UnsetType
    text: str


class Alternatives(msgspec.Struct, frozen=True):
    """The possibilities of what has been said."""

    alternatives: list[Alternative]


Message = Partial | Result | Alternatives

_encoder = msgspec.json.Encoder()


def encode(message: Message) -> str:
    """Write one text frame."""
    return _encoder.encode(message).decode()


class Asked(Enum):
    """What a client waits for a reply to."""

    AUDIO = auto()
    RESET = auto()


class Final(NamedTuple):
    """The result of a segment.

    Attributes:
        text: With punctuation and capitals.
        words: Of the text.
        confidence: From 0 to 1; None = it was not measured.
    """

    text: str
    words: Sequence[GivenWord]
    confidence: float | None


class Replies:
    """The replies to one client.

    Attributes:
        shape: Of the results.
    """

    def __init__(self) -> None:
        self.shape = Shape()
        self._finals: deque[Final] = deque()
        """Those that the client has not got, the oldest first."""
        self._partial = ""
        self._waiting: deque[Asked] = deque()
        """A reset whose results are not all there, and what has been asked for after it."""

    def growing(self, text: str) -> None:
        """What is known of the open segment."""
        self._partial = plain(text)

    def ended(self, final: Final | None) -> None:
        """A segment has its result; None = it gets none."""
        self._partial = ""
        if final is not None and plain(final.text):
            self._finals.append(final)

    def asked(self, what: Asked) -> Iterator[Message]:
        """The client waits for a reply, in the order of all events."""
        if self._waiting or what is Asked.RESET:
            self._waiting.append(what)
        else:
            yield self._next()

    def flushed(self) -> Iterator[Message]:
        """All results of the audio before the oldest reset are there."""
        if self._waiting:
            self._waiting.popleft()
            yield self._all()
        while self._waiting and self._waiting[0] is Asked.AUDIO:
            self._waiting.popleft()
            yield self._next()

    def stopped(self, *, asked: bool) -> Iterator[Message]:
        """All results are there.

        Args:
            asked: Whether the client has ended the stream, and waits for a reply to that. If not,
                it gets one only if there is a result that it has not got.
        """
        while self._waiting:  # a reset that has come too late to be carried out
            yield from self.flushed()
        if asked or self._finals:
            yield self._all()

    def _next(self) -> Message:
        if not self._finals:
            return Partial(self._partial)
        return self._take(1 if len(self._finals) <= MAX_OWED else len(self._finals))

    def _all(self) -> Message:
        self._partial = ""
        return self._take(len(self._finals))

    def _take(self, count: int) -> Message:
        return self._result([self._finals.popleft() for _ in range(count)])

    def _result(self, finals: Sequence[Final]) -> Message:
        text = " ".join(plain(final.text) for final in finals)
        words = [_word(word) for final in finals for word in final.words if bare(word.text)]
        shown = words if self.shape.words and text else UNSET
        if not self.shape.alternatives:
            return Result(shown, text)
        measured = mean_confidence(final.confidence for final in finals)
        confidence = UNMEASURED_CONFIDENCE if measured is None else measured
        return Alternatives([Alternative(confidence if text else 0.0, shown, text)])


def _word(word: GivenWord) -> ResultWord:
    return ResultWord(word.confidence, round(word.end, 3), round(word.start, 3), bare(word.text))
