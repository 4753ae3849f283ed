"""From the events of a stream to what a client of a speech recognizer gets. Pure.

| event | what it becomes |
|---|---|
| `active`, `inactive` | speech in some channel begins, speech in all channels has ended |
| `interim` | a result that is not final |
| `segment` | a final result |
| `error` of a segment | nothing: these clients read none within a stream |

An output without text becomes nothing. Nothing is estimated: words and confidence are the model's.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from streamer.http.spoken_words import bare, confidence_of, plain
from streamer.inference.timed_words import read_words
from streamer.protocol.events import Active, ErrorEvent, Event, Inactive, Interim, Segment
from streamer.rpc.recognition.settings import Asked


class SpeechBegan(NamedTuple):
    """Speech begins where none was; in seconds from the beginning of the audio."""

    time: float


class SpeechEnded(NamedTuple):
    """No channel has speech any more; in seconds from the beginning of the audio."""

    time: float


class UtteranceOver(NamedTuple):
    """The only utterance that the client wants has ended; its result follows."""


class Word(NamedTuple):
    """A word of a final result. Times in seconds from the beginning of the audio."""

    text: str
    start: float
    end: float
    confidence: float


class Result(NamedTuple):
    """What was said.

    Attributes:
        channel: From 0.
        text: With punctuation and capitals, if the client wants them; never empty.
        final: Whether it does not change any more.
        end: Of its audio, in seconds from the beginning.
        confidence: From 0 to 1; None = the model gives none.
        words: Those that the model gives, if the client wants them.
        follows: Whether a final result of the same channel came before.
    """

    channel: int
    text: str
    final: bool
    end: float
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    follows: bool = False


Found = SpeechBegan | SpeechEnded | UtteranceOver | Result


class Results:
    """The results of one stream, in order.

    Args:
        asked: What the client asks for.
        single_utterance: Whether it wants the first utterance only.
    """

    def __init__(self, asked: Asked, *, single_utterance: bool = False) -> None:
        self._asked = asked
        self._single_utterance = single_utterance
        self._over = False
        """Whether the single utterance is."""
        self._speaking: set[int] = set()
        self._pending: Counter[int] = Counter()
        """Segments without a result, by channel."""
        self._finals: set[int] = set()
        """Channels with a final result."""

    def on_event(self, event: Event) -> Iterator[Found]:
        """What an event becomes."""
        match event:
            case Active(time=time, channel=channel) if not self._over:
                if not self._speaking:
                    yield SpeechBegan(time)
                self._speaking.add(channel)
                self._pending[channel] += 1
            case Inactive(time=time, channel=channel):
                yield from self._ended(time, channel)
            case Interim(channel=channel) if self._pending[channel]:
                if text := self._text(event.output):
                    follows = channel in self._finals
                    yield Result(channel, text, final=False, end=event.end_time, follows=follows)
            case Segment(channel=channel) if self._pending[channel]:
                self._pending[channel] -= 1
                yield from self._final(event)
            case ErrorEvent(channel=int(channel)) if self._pending[channel]:
                self._pending[channel] -= 1

    def _ended(self, time: float, channel: int) -> Iterator[Found]:
        if channel not in self._speaking:
            return
        self._speaking.discard(channel)
        if not self._speaking:
            yield SpeechEnded(time)
        if self._single_utterance and not self._over:
            self._over = True
            yield UtteranceOver()

    def _final(self, event: Segment) -> Iterator[Result]:
        text = self._text(event.output)
        if not text:
            return
        yield Result(
            event.channel,
            text,
            final=True,
            end=event.end_time,
            confidence=confidence_of(event.output),
            words=tuple(self._words(event.output)),
            follows=event.channel in self._finals,
        )
        self._finals.add(event.channel)

    def _text(self, output: Mapping[str, Any]) -> str:
        text = output.get("text")
        if not isinstance(text, str):
            return ""
        return text.strip() if self._asked.punctuated else plain(text)

    def _words(self, output: Mapping[str, Any]) -> Iterator[Word]:
        if not (self._asked.word_times or self._asked.word_confidence):
            return
        try:
            words = read_words(output)
        except ValueError:  # a model of one's own has another kind of words
            return
        for word in words:
            if text := word.text if self._asked.punctuated else bare(word.text):
                yield Word(text, word.start_time, word.end_time, word.confidence)
