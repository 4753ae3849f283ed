"""Deepgram's live protocol, version 1: `WS /v1/listen`, settings in the query.

https://developers.deepgram.com/reference/speech-to-text/listen-streaming
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from streamer.audio.format import AudioFormat
from streamer.config.dialect_names import DialectName
from streamer.config.segmentation import VadConfig
from streamer.dialects.deepgram.listen import ListenDialect, key_terms_of
from streamer.dialects.deepgram.live_events import (
    AnyEvent,
    ConfigureDone,
    LiveEvents,
    LiveOptions,
    Reached,
)
from streamer.dialects.deepgram.live_messages import encode
from streamer.dialects.deepgram.settings import utterance_end_s, vad_options
from streamer.http.deepgram_query import ListenQuery, ServedModel, served_models
from streamer.protocol.actions import AudioReached, Outgoing, Reply
from streamer.protocol.events import Flushed, Started
from streamer.protocol.inputs import (
    ConfigureRequested,
    DisconnectRequested,
    FlushRequested,
    Input,
    KeepAliveReceived,
    ReplyRequested,
)
from streamer.protocol.requests import Configure, Start
from streamer.services import Services

DETECTOR_LAG_S = 0.15
"""Seconds by which the detector may be behind the audio, beside the least length of speech: of its
windows, and of the resampler. Only then is it certain that nothing has begun."""


class LiveDialect(ListenDialect):
    """One socket; arguments as for `ListenDialect`, and the time of day.

    Args:
        models: Of the server; the first one is the default.
        max_channels: The most channels that the server takes.
        vad: Settings of the segmentation.
        now: Returns the time of day, for the client.
    """

    name: DialectName = "deepgram"
    _wants_progress = True

    def __init__(
        self,
        models: Sequence[ServedModel],
        max_channels: int,
        vad: VadConfig,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(models, max_channels, vad)
        self._now = now
        self._wake_s: float | None = None
        """Seconds of audio after which `Reached` is due; None = it is not."""
        self._lag_s = DETECTOR_LAG_S

    def _opened(self, query: ListenQuery, session_id: str) -> None:
        self._session_id = session_id
        self._events = self._new_events(query, channels=1)  # until it is known how many

    def _new_events(self, query: ListenQuery, channels: int) -> LiveEvents:
        options = LiveOptions(
            punctuated=query.punctuated,
            vad_events=query.true("vad_events"),
            utterance_end_s=utterance_end_s(query),
        )
        return LiveEvents(query.model, channels, options, self._now(), self._session_id)

    def _start(self, query: ListenQuery, audio: AudioFormat) -> Start:
        self._events = self._new_events(query, audio.channels)
        return Start(
            format=audio,
            interim_results=query.true("interim_results"),
            vad=vad_options(query, self._vad),
            model=query.model.name,
            words=True,
            keyterms=self._key_terms,
        )

    def _control(self, kind: str, message: Mapping[str, Any]) -> Iterator[Input]:
        match kind:
            case "KeepAlive":
                yield KeepAliveReceived()
            case "Finalize":
                yield from self._settle(over=False)
                nothing = ReplyRequested(Flushed(time=0.0, channel=0))
                yield FlushRequested() if self._begun else nothing
            case "CloseStream":
                yield from self._settle(over=True)
                yield DisconnectRequested()
            case "Configure":
                yield self._configure(message)

    def _messages(self, item: Outgoing) -> Iterator[str]:
        if isinstance(item, Started) and item.vad is not None:
            self._lag_s = item.vad.min_speech_ms / 1000 + DETECTOR_LAG_S
        event = item.content if isinstance(item, Reply) else item
        if isinstance(event, AudioReached):
            if self._wake_s is None or event.time < self._wake_s:
                return
            event = Reached(event.time)
        assert isinstance(event, AnyEvent)  # `read` asks for no other replies
        for message in self._events.messages(event):
            yield encode(message)
        due_s = self._events.due_s
        self._wake_s = None if due_s is None else due_s + self._lag_s

    def _read_audio(self, audio: bytes) -> Iterator[Input]:
        yield from super()._read_audio(audio)
        if self._wake_s is not None and self._audio.seconds >= self._wake_s:
            self._wake_s = None
            yield ReplyRequested(Reached(self._audio.seconds))

    def _configure(self, message: Mapping[str, Any]) -> Input:
        """New key terms; features are ways of writing that this server does not have."""
        try:
            terms = key_terms_of(message)
        except ValueError as error:
            return ReplyRequested(ConfigureDone(str(error)))
        if terms is None:
            return ReplyRequested(ConfigureDone())
        if not self._begun:
            self._key_terms = terms
            return ReplyRequested(ConfigureDone(key_terms=terms))
        return ConfigureRequested(Configure(keyterms=terms))


def live_dialect(services: Services) -> LiveDialect:
    """The dialect of a new socket."""
    config = services.config
    models = served_models(services.pools)
    return LiveDialect(models, config.limits.max_channels, config.vad)
