"""From the events of a stream to the messages of AssemblyAI's live protocol. Pure.

| event | message |
|---|---|
| `active` | `SpeechStarted` |
| `interim` | `Turn`, which goes on |
| `segment` | `Turn`, ended |
| `error` of a segment | `Turn`, ended, without words: no client waits for it |
| `stopped` | `Termination` |

`Begin` comes before all events. A `ForceEndpoint` has no other answer than the turn that it ends.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from streamer.access.deepgram_errors import request_id_of
from streamer.dialects.assemblyai.messages import (
    Begin,
    Message,
    SpeechStarted,
    Termination,
    Turn,
    TurnWord,
)
from streamer.dialects.channel_speech import ChannelSpeech
from streamer.http.render import text_of
from streamer.http.spoken_words import GivenWord, bare, plain, spoken_words
from streamer.protocol.events import Active, ErrorEvent, Event, Inactive, Interim, Segment, Stopped

GOES_ON, ENDED = 0.0, 1.0
"""`end_of_turn_confidence`. The detector gives no probability."""


class FormatTurns(NamedTuple):
    """From here on, transcripts have punctuation and capitals, or not."""

    formatted: bool


AnyEvent = Event | FormatTurns


class SessionEvents:
    """The messages to one client, in order.

    Args:
        formatted: Whether transcripts have punctuation and capitals.
        now: Returns the seconds since 1970.
    """

    def __init__(self, now: Callable[[], float], *, formatted: bool) -> None:
        self._formatted = formatted
        self._now = now
        self._begun_s = now()
        self._turn = 0
        self._speech = ChannelSpeech(None)

    def begin(self, session_id: str, lifetime_s: float) -> Begin:
        """The first message.

        Args:
            session_id: 16 hexadecimal digits, as in the server's log.
            lifetime_s: Seconds for which a session may last.
        """
        expires_at = int(self._begun_s + lifetime_s)
        return Begin(id=request_id_of(session_id), expires_at=expires_at)

    def messages(self, event: AnyEvent) -> Iterator[Message]:
        """What an event becomes."""
        match event:
            case FormatTurns(formatted=formatted):
                self._formatted = formatted
            case Active(time=time):
                self._speech.began(time)
                yield SpeechStarted(timestamp=_ms(time))
            case Inactive(time=time):
                self._speech.ended(time)
            case Interim(start_time=start, end_time=end, output=output):
                if text := text_of(output):
                    words = spoken_words(output, text, self._speech.open_since(start), end)
                    yield self._message(text, words, ended=False)
            case Segment(start_time=start, end_time=end, output=output):
                text = text_of(output)
                speech = self._speech.settle(start, end)
                words = spoken_words(output, text, speech.begin, speech.end or end)
                yield self._end_turn(text, words)
            case ErrorEvent(start_time=float(start), end_time=float(end)):
                self._speech.settle(start, end)
                yield self._end_turn("", ())
            case Stopped(audio_seconds=seconds):
                yield Termination(
                    audio_duration_seconds=round(seconds),
                    session_duration_seconds=max(0, round(self._now() - self._begun_s)),
                )

    def _end_turn(self, text: str, words: Sequence[GivenWord]) -> Turn:
        turn = self._message(text, words, ended=True)
        self._turn += 1
        return turn

    def _message(self, text: str, words: Sequence[GivenWord], *, ended: bool) -> Turn:
        return Turn(
            turn_order=self._turn,
            turn_is_formatted=ended and self._formatted,
            end_of_turn=ended,
            transcript=text if self._formatted else plain(text),
            end_of_turn_confidence=ENDED if ended else GOES_ON,
            words=[self._word(word, final=ended) for word in words if bare(word.text)],
        )

    def _word(self, word: GivenWord, *, final: bool) -> TurnWord:
        text = word.text if self._formatted else bare(word.text)
        return TurnWord(text, _ms(word.start), _ms(word.end), word.confidence, final)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
