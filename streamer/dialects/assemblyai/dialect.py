"""AssemblyAI's live protocol, version 3: `WS /v3/ws`, settings in the query.

https://www.assemblyai.com/docs/api-reference/streaming-api/streaming-api
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from streamer.access.assemblyai_errors import assemblyai_error
from streamer.config.dialect_names import DialectName
from streamer.config.segmentation import VadConfig
from streamer.dialects.assemblyai.events import AnyEvent, FormatTurns, SessionEvents
from streamer.dialects.assemblyai.messages import Error, Termination, encode
from streamer.dialects.assemblyai.settings import (
    SessionQuery,
    SettingRefused,
    TurnSettings,
    turn_settings,
)
from streamer.dialects.control_message import control_message
from streamer.http.deepgram_query import ServedModel, served_models
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.codes import ErrorCode, close_reason
from streamer.protocol.events import ErrorEvent
from streamer.protocol.inputs import (
    AudioReceived,
    ConfigureRequested,
    DisconnectRequested,
    FlushRequested,
    Input,
    KeepAliveReceived,
    ReplyRequested,
    StartRequested,
)
from streamer.protocol.requests import Configure, Start, VadOptions
from streamer.services import Services
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

PATH = "/v3/ws"

MAX_TEXT_BYTES = 65_536
"""Bytes of a message: 100 key terms of 50 characters, as AssemblyAI allows them, are 30,000 and
more in JSON that has nothing but ASCII."""

IDLE_SECONDS = 900.0
"""Without `inactivity_timeout`. AssemblyAI then closes no socket for it, and programs whose users
are silent send nothing."""

SERVER_ERROR, BAD_INPUT, EXPIRED = 3_005, 3_006, 3_008

CLOSE_CODES: Mapping[ErrorCode, int] = {
    "bad_format": BAD_INPUT,
    "too_large": BAD_INPUT,
    "session_too_long": EXPIRED,
}
"""Of the errors that close a socket, as the packages know them; `SERVER_ERROR` of the others."""

STREAM_ENDS: Mapping[ErrorCode, int] = {
    "bad_audio": BAD_INPUT,
    "overloaded": SERVER_ERROR,
    "internal_error": SERVER_ERROR,
}
"""Of the errors with which a stream in a container ends, behind all of its turns."""

LIFETIME_S = 10_800.0
"""Seconds for which AssemblyAI's sessions last, where the server has no limit of its own."""


class AssemblyDialect:
    """One socket.

    Args:
        models: Of the server; the first one is the default.
        vad: Settings of the segmentation.
        lifetime_s: Seconds for which a session may last; 0 = without a limit.
        now: Returns the seconds since 1970.
    """

    name: DialectName = "assemblyai"
    route: Route = "segmented"
    segmentation: Segmentation = "speech"
    binary_is_audio = True
    credential_in_start = False
    max_text_bytes: int | None = MAX_TEXT_BYTES
    idle_seconds: float | None = IDLE_SECONDS
    max_lag_seconds: float | None = None

    def __init__(
        self,
        models: Sequence[ServedModel],
        vad: VadConfig,
        lifetime_s: float = 0.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._models = models
        self._vad = vad
        self._lifetime_s = lifetime_s or LIFETIME_S
        self._now = now
        self._turns = TurnSettings()
        """As the client has given them."""
        self._terminated = False
        """Whether the client has ended the session."""
        self._failure: Error | None = None
        """Why the session has to end; None = it goes on, or ends as it was asked to."""

    def credential(self, request: UpgradeRequest) -> str | None:
        """In the header without a scheme, or in the query."""
        return request.credential

    def open(self, request: UpgradeRequest) -> Opening:
        """Read the query; the stream begins at once."""
        try:
            query = SessionQuery(request.query, self._models)
        except SettingRefused as error:
            raise UpgradeRefused(400, "bad_request", str(error)) from None
        if query.inactivity_s is not None:
            self.idle_seconds = query.inactivity_s
        self._turns = turns = query.turns
        self._events = SessionEvents(self._now, formatted=turns.formatted is not False)
        start = Start(
            format=query.format,
            interim_results=True,
            vad=turns.vad_options(self._vad),
            model=query.model.name,
            words=True,
            keyterms=turns.key_terms or (),
        )
        begin = self._events.begin(request.session_id, self._lifetime_s)
        return Opening(
            inputs=(StartRequested(start),), frames=(encode(begin),), ignored=query.ignored
        )

    def refuse(self, refused: UpgradeRefused) -> Response:
        """By an HTTP answer; the packages do not try again after one."""
        return assemblyai_error(refused.status, refused.message, refused.headers)

    def read(self, frame: str | bytes) -> Iterator[Input]:
        """Audio, or a control message; what is neither means nothing."""
        if isinstance(frame, bytes):
            if frame:
                yield AudioReceived(frame)
            return
        kind, message = control_message(frame)
        match kind:
            case "Terminate":
                self._terminated = True
                yield DisconnectRequested()
            case "ForceEndpoint":
                yield FlushRequested()
            case "KeepAlive":
                yield KeepAliveReceived()
            case "UpdateConfiguration":
                yield from self._update(message)

    def write(self, item: Outgoing) -> Iterator[str | Close]:
        """The messages of an event."""
        if isinstance(item, Close):
            yield from self._close(item)
            return
        if isinstance(item, ErrorEvent) and item.fatal:
            code = CLOSE_CODES.get(item.code, SERVER_ERROR)
            self._failure = Error(error_code=code, error=item.message)
            return
        if isinstance(item, ErrorEvent) and item.code in STREAM_ENDS:
            code = STREAM_ENDS[item.code]
            yield encode(Error(error_code=code, error=item.message))
            yield Close(code, close_reason(item.message))
            return
        event = item.content if isinstance(item, Reply) else item
        assert isinstance(event, AnyEvent)  # `read` asks for no other replies
        for message in self._events.messages(event):
            # At a `Termination`, programs stop without an error, and without connecting again.
            if not isinstance(message, Termination) or (self._terminated and not self._failure):
                yield encode(message)

    def _close(self, close: Close) -> Iterator[str | Close]:
        """The packages stop reading at an `Error`: the turns that were due come before it."""
        if self._failure is None:
            yield close
        else:
            yield encode(self._failure)
            yield Close(self._failure.error_code, close.reason)

    def _update(self, message: Mapping[str, Any]) -> Iterator[Input]:
        """Change what is given, and is of the right type; there is no answer."""
        given = turn_settings(message)
        self._turns = given.over(self._turns)
        if given.formatted is not None:
            yield ReplyRequested(FormatTurns(given.formatted))
        vad = None
        if given.vad_options(self._vad) != VadOptions():
            vad = self._turns.vad_options(self._vad)
        if vad is not None or given.key_terms is not None:
            yield ConfigureRequested(Configure(vad=vad, keyterms=given.key_terms))


def assemblyai_dialect(services: Services) -> AssemblyDialect:
    """The dialect of a new socket."""
    config = services.config
    lifetime_s = config.limits.max_session_seconds
    return AssemblyDialect(served_models(services.pools), config.vad, lifetime_s)
