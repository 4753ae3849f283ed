"""From the events of a stream to the messages of Deepgram's live protocol, version 1. Pure.

| event | messages |
|---|---|
| `active` | `SpeechStarted`, with `vad_events` |
| `interim` | `Results`, not final |
| `segment` | `Results`, final; the end of the speech unless the segment was cut for its length |
| `error` of a segment | as a `segment` without words: the turn ends, and no client waits for it |
| `flushed` | `Results` from the `Finalize`, unless a segment of this flush was one |
| `configured` | `ConfigureSuccess` |
| the audio gets on | `UtteranceEnd`, with `utterance_end_ms` |
| `stopped` | `Metadata` |
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET

from streamer.access.deepgram_errors import request_id_of
from streamer.dialects.channel_speech import ChannelSpeech
from streamer.dialects.deepgram.live_messages import (
    ConfigureFailure,
    ConfigureSuccess,
    Message,
    Metadata,
    Results,
    ResultsMetadata,
    SpeechStarted,
    UtteranceEnd,
)
from streamer.http.deepgram_answers import (
    MODEL_UUID,
    NO_SHA256,
    Alternative,
    Transcribed,
    alternative,
    model_info,
)
from streamer.http.deepgram_query import ServedModel
from streamer.http.render import text_of
from streamer.http.spoken_words import confidence_of, spoken_words
from streamer.protocol.events import (
    Active,
    Configured,
    ErrorEvent,
    Event,
    Flushed,
    Inactive,
    Interim,
    Segment,
    Started,
    Stopped,
)
from streamer.session.dialect import NO_SESSION

NOTHING = Alternative("", 0.0, [])


class Reached(NamedTuple):
    """The detector has had all audio up to this time, in seconds from the start of the stream."""

    time: float


class ConfigureDone(NamedTuple):
    """A `Configure` has changed nothing of a stream.

    Attributes:
        problem: Why it cannot be done; "" = it can.
        key_terms: New ones, for the stream that is going to begin; None = they are as before.
    """

    problem: str = ""
    key_terms: tuple[str, ...] | None = None


AnyEvent = Event | Reached | ConfigureDone


class LiveOptions(NamedTuple):
    """What a client wants to be sent.

    Attributes:
        punctuated: Punctuation and capitals.
        vad_events: `SpeechStarted`.
        utterance_end_s: `UtteranceEnd` after so many seconds without a word; None = never.
    """

    punctuated: bool
    vad_events: bool
    utterance_end_s: float | None


class LiveEvents:
    """The messages to one client, in order.

    Args:
        model: Whose transcripts they are.
        channels: Of the audio.
        options: What the client wants.
        created: When the stream began.
        session_id: Until `started` names it.

    Attributes:
        request_id: Of the stream, as the client sees it.
    """

    def __init__(
        self,
        model: ServedModel,
        channels: int,
        options: LiveOptions,
        created: datetime,
        session_id: str = NO_SESSION,
    ) -> None:
        self._model = model
        self._options = options
        self._created = created
        self._speech = [ChannelSpeech(options.utterance_end_s) for _ in range(channels)]
        self._finalized = [False] * channels
        """Whether a segment of the flush that is going to be answered was said to be one."""
        self.request_id = request_id_of(session_id)

    @property
    def due_s(self) -> float | None:
        """When the audio has got there, `Reached` may bring a message; None = it brings none."""
        return min(
            (speech.due_s for speech in self._speech if speech.due_s is not None), default=None
        )

    def messages(self, event: AnyEvent) -> Iterator[Message]:
        """What an event becomes."""
        match event:
            case Started(session_id=session_id):
                self.request_id = request_id_of(session_id)
            case Active(time=time, channel=channel):
                yield from self._utterance_end(channel, self._speech[channel].began(time))
                if self._options.vad_events:
                    yield SpeechStarted(channel=self._index(channel), timestamp=round(time, 3))
            case Inactive(time=time, channel=channel):
                self._speech[channel].ended(time)
            case Interim():
                yield from self._interim(event)
            case Segment():
                yield from self._segment(event)
            case ErrorEvent(channel=int(channel), start_time=float(start), end_time=float(end)):
                speech = self._speech[channel].settle(start, end)
                yield self._results(channel, start, end, NOTHING, final=True)
                yield from self._utterance_end(channel, self._speech[channel].utterance_end(speech))
            case Flushed(time=time, channel=channel):
                if not self._finalized[channel]:
                    yield self._results(channel, time, time, NOTHING, final=True, finalized=True)
                self._finalized[channel] = False
                yield from self._reached([channel], time)
            case Reached(time=time):
                yield from self._reached(range(len(self._speech)), time)
            case Configured(keyterms=keyterms):
                yield ConfigureSuccess(request_id=self.request_id, keyterms=keyterms)
            case ConfigureDone(problem="", key_terms=terms):
                shown = UNSET if terms is None else terms
                yield ConfigureSuccess(request_id=self.request_id, keyterms=shown)
            case ConfigureDone(problem=problem):
                yield ConfigureFailure(
                    request_id=self.request_id,
                    code="CONFIGURE_KEYTERM_LIMIT_EXCEEDED",
                    description=problem,
                )
            case Stopped(audio_seconds=seconds):
                for number, row in enumerate(self._speech):
                    yield from self._utterance_end(number, row.finish())
                yield self._metadata(seconds)

    def _interim(self, event: Interim) -> Iterator[Message]:
        text = text_of(event.output)
        if not text:
            return
        begin = self._speech[event.channel].open_since(event.start_time)
        words = spoken_words(event.output, text, begin, event.end_time)
        said = alternative(text, None, words, punctuated=self._options.punctuated)
        yield self._results(event.channel, event.start_time, event.end_time, said, final=False)

    def _segment(self, event: Segment) -> Iterator[Message]:
        speech = self._speech[event.channel]
        span = speech.settle(event.start_time, event.end_time)
        assert span.end is not None  # it is settled
        text = text_of(event.output)
        words = spoken_words(event.output, text, span.begin, span.end)
        confidence = confidence_of(event.output)
        said = alternative(text, confidence, words, punctuated=self._options.punctuated)
        if words:
            speech.words_until(words[-1].end)
        self._finalized[event.channel] |= event.flushed
        yield self._results(
            event.channel,
            event.start_time,
            event.end_time,
            said,
            final=True,
            cut=event.ended_by == "cut",
            finalized=event.flushed,
        )
        yield from self._utterance_end(event.channel, speech.utterance_end(span))

    def _reached(self, channels: Iterable[int], time: float) -> Iterator[Message]:
        for channel in channels:
            yield from self._utterance_end(channel, self._speech[channel].reached(time))

    def _utterance_end(self, channel: int, last_word_end: float | None) -> Iterator[Message]:
        if last_word_end is not None:
            word_end = round(last_word_end, 3)
            yield UtteranceEnd(channel=self._index(channel), last_word_end=word_end)

    def _results(
        self,
        channel: int,
        start: float,
        end: float,
        said: Alternative,
        *,
        final: bool,
        cut: bool = False,
        finalized: bool = False,
    ) -> Results:
        return Results(
            channel_index=self._index(channel),
            duration=round(end - start, 3),
            start=round(start, 3),
            is_final=final,
            speech_final=final and not cut,
            channel=Transcribed([said]),
            metadata=ResultsMetadata(self.request_id, model_info(self._model), MODEL_UUID),
            from_finalize=finalized,
        )

    def _metadata(self, seconds: float) -> Metadata:
        return Metadata(
            transaction_key="deprecated",
            request_id=self.request_id,
            sha256=NO_SHA256,
            created=self._created.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            duration=round(seconds, 3),
            channels=len(self._speech),
            models=[MODEL_UUID],
            model_info={MODEL_UUID: model_info(self._model)},
        )

    def _index(self, channel: int) -> tuple[int, int]:
        return channel, len(self._speech)
