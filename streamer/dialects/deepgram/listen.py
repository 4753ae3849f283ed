"""What both of Deepgram's live protocols have in common: the query, audio, how it is closed."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from streamer.access.credentials import answered
from streamer.access.deepgram_errors import deepgram_error, new_request_id
from streamer.audio.format import AudioFormat
from streamer.config.dialect_names import DialectName
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.config.segmentation import VadConfig
from streamer.dialects.control_message import control_message
from streamer.dialects.deepgram.incoming_audio import IncomingAudio
from streamer.http.deepgram_query import ListenQuery, QueryRefused, ServedModel
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.codes import CloseCode, ErrorCode, close_reason
from streamer.protocol.events import ErrorEvent
from streamer.protocol.inputs import AudioReceived, Input, StartRequested
from streamer.protocol.requests import BadRequest, Start
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

SUBPROTOCOLS = ("token", "bearer")
"""Of a browser, which offers its credential behind one of them."""

IDLE_REASON = "NET-0001: no audio or message was received within the timeout window"
BAD_AUDIO = "DATA-0000"
"""As the original closes, so that programs recognize it."""

_ENDS: Mapping[ErrorCode, CloseCode] = {
    "overloaded": CloseCode.TRY_AGAIN_LATER,
    "internal_error": CloseCode.INTERNAL_ERROR,
}
"""Of errors with which a stream in a container ends."""

TOO_MANY_TERMS = f"'keyterms': allowed: up to {MAX_KEY_TERMS} names or phrases"


class ListenDialect(ABC):
    """One socket of a client of Deepgram's.

    Args:
        models: Of the server; the first one is the default.
        max_channels: The most channels that the server takes.
        vad: Settings of the segmentation.
    """

    name: DialectName
    route: Route = "segmented"
    segmentation: Segmentation = "speech"
    binary_is_audio = True
    credential_in_start = False
    max_text_bytes: int | None = None
    idle_seconds: float | None = None
    max_lag_seconds: float | None = None
    _wants_progress = False
    """Of the stream; it may change until the stream begins."""

    def __init__(self, models: Sequence[ServedModel], max_channels: int, vad: VadConfig) -> None:
        self._models = models
        self._max_channels = max_channels
        self._vad = vad
        self._key_terms: tuple[str, ...] = ()
        """Of a stream that begins; later ones are the stream's own."""
        self._begun = False
        """Whether it is known what the audio is, and the stream has been asked for."""
        self._close: Close | None = None
        """In the place of the one that follows."""

    @abstractmethod
    def _opened(self, query: ListenQuery, session_id: str) -> None:
        """The query can be used; what is written from now on belongs to this session."""

    @abstractmethod
    def _start(self, query: ListenQuery, audio: AudioFormat) -> Start:
        """The settings of the stream, which begins now."""

    @abstractmethod
    def _control(self, kind: str, message: Mapping[str, Any]) -> Iterator[Input]:
        """What a control message means."""

    @abstractmethod
    def _messages(self, item: Outgoing) -> Iterator[str]:
        """What an event becomes."""

    def credential(self, request: UpgradeRequest) -> str | None:
        """In any place."""
        return request.credential

    def open(self, request: UpgradeRequest) -> Opening:
        """Read the query; the stream begins at once if it says what the audio is."""
        try:
            self._query = query = ListenQuery(request.query, self._models)
            self._audio = IncomingAudio(query, self._max_channels)
        except (QueryRefused, BadRequest) as error:
            raise UpgradeRefused(400, "bad_request", str(error)) from None
        self._key_terms = query.key_terms
        self._opened(query, request.session_id)
        return Opening(
            answered(request.subprotocols, SUBPROTOCOLS),
            tuple(self._begin()),
            progress=self._wants_progress,
            ignored=query.ignored,
        )

    def refuse(self, refused: UpgradeRefused) -> Response:
        """As the original answers."""
        return deepgram_error(refused.status, refused.message, new_request_id(), refused.headers)

    def read(self, frame: str | bytes) -> Iterator[Input]:
        """Audio, or a control message; what is neither means nothing."""
        if isinstance(frame, bytes):
            yield from self._read_audio(self._audio.push(frame))
        else:
            yield from self._control(*control_message(frame))

    def write(self, item: Outgoing) -> Iterator[str | Close]:
        """The messages of an event."""
        if isinstance(item, Close):
            yield self._close or item
            return
        if isinstance(item, ErrorEvent) and item.code in ("bad_format", "bad_audio"):
            yield Close(CloseCode.POLICY_VIOLATION, close_reason(f"{BAD_AUDIO}: {item.message}"))
            return
        if isinstance(item, ErrorEvent) and item.code in _ENDS and not item.fatal:
            yield Close(_ENDS[item.code], close_reason(item.message))
            return
        if isinstance(item, ErrorEvent) and item.code == "idle_timeout":
            self._close = Close(CloseCode.INTERNAL_ERROR, IDLE_REASON)
        if self._begun or isinstance(item, Reply):
            yield from self._messages(item)

    def _begin(self) -> Iterator[Input]:
        audio = self._audio.format
        if not self._begun and audio is not None:
            self._begun = True
            yield StartRequested(self._start(self._query, audio))

    def _read_audio(self, audio: bytes) -> Iterator[Input]:
        yield from self._begin()
        if audio:
            yield AudioReceived(audio)

    def _settle(self, *, over: bool) -> Iterator[Input]:
        """Begin the stream, as far as the audio allows it; if it is over, in any case."""
        yield from self._read_audio(self._audio.settle(over=over))


def key_terms_of(message: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The key terms in a `Configure`; None = they are to stay as they are.

    Raises:
        ValueError: They are none, or too many.
    """
    given = message.get("keyterms")
    if given is None:
        return None
    terms = given if isinstance(given, list) else [given]
    if len(terms) > MAX_KEY_TERMS or not all(map(is_key_term, terms)):
        raise ValueError(TOO_MANY_TERMS)
    return tuple(terms)
