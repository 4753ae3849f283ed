"""The protocol of vosk-server: `WS /vosk`, settings in the first message.

https://alphacephei.com/vosk/server
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from starlette.responses import Response

from streamer.access.credentials import QUERY_NAME
from streamer.access.error_responses import error_response
from streamer.config.dialect_names import DialectName
from streamer.dialects.channel_speech import ChannelSpeech
from streamer.dialects.vosk.replies import Asked, Final, Message, Replies, encode
from streamer.dialects.vosk.settings import Settings, Shape, configured
from streamer.http.render import text_of
from streamer.http.spoken_words import confidence_of, spoken_words
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.codes import CloseCode, close_reason
from streamer.protocol.events import (
    Active,
    ErrorEvent,
    Flushed,
    Inactive,
    Interim,
    Segment,
    Stopped,
)
from streamer.protocol.inputs import (
    AudioReceived,
    ConfigureRequested,
    DisconnectRequested,
    FlushRequested,
    Input,
    ReplyRequested,
    StartRequested,
)
from streamer.protocol.requests import Configure, Start
from streamer.services import Services
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

PATH = "/vosk"

MAX_TEXT_BYTES = 65_536
"""Bytes of a message: lists of phrases may be long."""

IDLE_SECONDS = 900.0
"""vosk-server closes no socket for silence, and its clients have no message to keep one open."""


class VoskDialect:
    """One socket.

    Args:
        models: Names of the server's models.
    """

    name: DialectName = "vosk"
    route: Route = "segmented"
    segmentation: Segmentation = "speech"
    binary_is_audio = False  # each has a reply
    credential_in_start = False
    max_text_bytes: int | None = MAX_TEXT_BYTES
    idle_seconds: float | None = IDLE_SECONDS
    max_lag_seconds: float | None = None

    def __init__(self, models: Sequence[str]) -> None:
        self._models = models
        self._settings = Settings()
        self._replies = Replies()
        self._speech = ChannelSpeech(None)
        self._begun = False
        """Whether the stream has been asked for: it begins with the first audio."""
        self._ended = False
        """Whether the client has ended it."""

    def credential(self, request: UpgradeRequest) -> str | None:
        """In any place; these clients can show one in the query."""
        return request.credential

    def open(self, request: UpgradeRequest) -> Opening:
        """All settings come in messages."""
        names = {name for name, value in request.query}
        return Opening(ignored=sorted(names - {QUERY_NAME}))

    def refuse(self, refused: UpgradeRefused) -> Response:
        """As our own endpoints answer; vosk-server refuses no client."""
        return error_response(refused.status, refused.code, refused.message, refused.headers)

    def read(self, frame: str | bytes) -> Iterator[Input]:
        """Audio, or a message; what is neither means nothing.

        Raises:
            BadRequest: The sample rate is not possible.
        """
        if isinstance(frame, bytes):
            yield from self._begin()
            if frame:
                yield AudioReceived(frame)
            yield ReplyRequested(Asked.AUDIO, before_audio=True)
            return
        message = _object(frame)
        if "config" in message:
            yield from self._configure(message["config"])
        if "eof" in message:
            self._ended = True
            yield from self._begin()
            yield DisconnectRequested()
        elif "reset" in message:
            yield from self._begin()
            yield ReplyRequested(Asked.RESET)
            yield FlushRequested()

    def write(self, item: Outgoing) -> Iterator[str | Close]:
        """The replies that are due with an event."""
        if isinstance(item, Close):
            yield item
        elif isinstance(item, ErrorEvent) and item.code == "bad_format":
            yield Close(CloseCode.POLICY_VIOLATION, close_reason(item.message))
        else:
            for message in self._messages(item):
                yield encode(message)

    def _messages(self, item: Outgoing) -> Iterator[Message]:
        match item:
            case Reply(content=Shape() as shape):
                self._replies.shape = shape
            case Reply(content=Asked() as asked):
                yield from self._replies.asked(asked)
            case Active(time=time):
                self._speech.began(time)
            case Inactive(time=time):
                self._speech.ended(time)
            case Interim(output=output):
                self._replies.growing(text_of(output))
            case Segment(start_time=start, end_time=end, output=output):
                speech = self._speech.settle(start, end)
                text = text_of(output)
                words = spoken_words(output, text, speech.begin, speech.end or end)
                self._replies.ended(Final(text, words, confidence_of(output)))
            case ErrorEvent(start_time=float(start), end_time=float(end)):
                self._speech.settle(start, end)
                self._replies.ended(None)
            case Flushed():
                yield from self._replies.flushed()
            case Stopped():
                yield from self._replies.stopped(asked=self._ended)

    def _begin(self) -> Iterator[Input]:
        if self._begun:
            return
        self._begun = True
        settings = self._settings
        yield StartRequested(
            Start(
                format=settings.format,
                interim_results=True,
                model=settings.model,
                words=True,
                keyterms=settings.key_terms,
            )
        )

    def _configure(self, config: object) -> Iterator[Input]:
        """Before the audio, all settings; later all but the sample rate and the model."""
        before, now = self._settings, configured(self._settings, config, self._models)
        self._settings = now
        if now.shape != before.shape:
            yield ReplyRequested(now.shape)
        if self._begun and now.key_terms != before.key_terms:
            yield ConfigureRequested(Configure(keyterms=now.key_terms))


def _object(text: str) -> Mapping[str, object]:
    """A message; empty if it is none."""
    try:
        tree = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return {}
    return tree if isinstance(tree, dict) else {}


def vosk_dialect(services: Services) -> VoskDialect:
    """The dialect of a new socket."""
    return VoskDialect(services.pools.names)
