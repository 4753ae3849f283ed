"""One voice command: what is said of it, and when it is over. Pure.

| event | messages |
|---|---|
| `active`, `inactive` | `voice-started`, `voice-stopped` |
| `segment` with text | `transcript-chunk`; before the first `transcript-start` |
| `stopped` | `transcript` with the whole text, `transcript-stop` |

Where the server finds the end of the command, that is the first `segment` with text that silence
has ended. The stream is stopped then, and `stopped` comes at once: clients leave when they have the
`transcript`. They get exactly one for each command, also when nothing was said: they wait for it
without a limit of time.
"""

from collections.abc import Iterator

from streamer.dialects.wyoming.codec import encode_event
from streamer.http.render import text_of
from streamer.protocol.events import Active, Inactive, Segment

NO_SPEECH_S = 15.0
"""Seconds without speech after which a command is over; as `VoiceCommandSegmenter.timeout_seconds`
of Home Assistant, which does not count them where the server finds the end."""

LONGEST_S = 30.0
"""Seconds of speech without silence after which a command is over: of a radio, for example."""


class Command:
    """One voice command, from the start of its audio.

    Args:
        language: Of its text; None = not known.
        ends_itself: Whether the server finds its end.

    Attributes:
        answered: Whether its `transcript` was sent.
        complete: Whether the server has found its end; what comes later is not of it.
        abandoned: Whether the client has begun another one instead of ending it.
    """

    def __init__(self, language: str | None, *, ends_itself: bool) -> None:
        self._language = {} if language is None else {"language": language}
        self._ends_itself = ends_itself
        self._texts: list[str] = []
        self._speaking = False
        self._since_s = 0.0
        """Since when there is speech, or none."""
        self._expired = False
        self.answered = self.complete = self.abandoned = False

    @property
    def settled(self) -> bool:
        """Whether nothing that comes of its audio is of use."""
        return self.complete or self.answered or self.abandoned

    @property
    def over(self) -> bool:
        """Whether the server ends it now; the client need not send more."""
        return self._ends_itself and (self.complete or self._expired)

    def reached(self, time_s: float) -> None:
        """The detector has had so many seconds of its audio."""
        longest_s = LONGEST_S if self._speaking else NO_SPEECH_S
        self._expired |= time_s - self._since_s >= longest_s

    def messages(self, event: Active | Inactive | Segment) -> Iterator[bytes]:
        """What an event of its stream becomes."""
        match event:
            case Active(time=time):
                self._speaking, self._since_s = True, time
                yield from self._voice("voice-started", time)
            case Inactive(time=time):
                self._speaking, self._since_s = False, time
                yield from self._voice("voice-stopped", time)
            case Segment() if not self.settled:
                if text := text_of(event.output):
                    yield from self._chunk(text)
                # The silence may be behind a rest without words, if a long segment was cut.
                ended = event.ended_by == "silence" and bool(self._texts)
                self.complete = self._ends_itself and ended

    def answer(self) -> Iterator[bytes]:
        """Its `transcript`, unless it was sent before, or the client does not wait for it."""
        if self.answered or self.abandoned:
            return
        self.answered = True
        if not self._texts:
            yield encode_event("transcript-start", self._language)
        yield encode_event("transcript", {"text": " ".join(self._texts), **self._language})
        yield encode_event("transcript-stop")

    def _voice(self, kind: str, time_s: float) -> Iterator[bytes]:
        """Speech begins or ends, in milliseconds from the start of the command's audio."""
        if not self.settled:
            yield encode_event(kind, {"timestamp": round(1000 * time_s)})

    def _chunk(self, text: str) -> Iterator[bytes]:
        if not self._texts:
            yield encode_event("transcript-start", self._language)
        space = " " if self._texts else ""
        self._texts.append(text)
        yield encode_event("transcript-chunk", {"text": space + text})
