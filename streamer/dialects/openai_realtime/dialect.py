"""OpenAI's Realtime transcription on one socket: frames in, inputs out; events in, frames out.

The reading side keeps the settings, and turns what a client sends into inputs. The writing side
makes items of events. They run at different times, because audio waits in between: what the
reading side has to tell the writing side goes as a `Reply` through the same line as all events.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus

from starlette.responses import Response

from streamer.access.credentials import answered
from streamer.access.error_responses import error_response, unauthorized
from streamer.config.dialect_names import DialectName
from streamer.config.explain import show_name
from streamer.dialects.openai_realtime.client_secret import ticket_in
from streamer.dialects.openai_realtime.items import Items
from streamer.dialects.openai_realtime.messages import (
    Append,
    Clear,
    Commit,
    Message,
    Refused,
    SessionUpdate,
    TranscriptionSessionUpdate,
    read_message,
    refused,
)
from streamer.dialects.openai_realtime.replies import ClearAsked, CommitAsked
from streamer.dialects.openai_realtime.session import Session
from streamer.dialects.openai_realtime.writing import Writer
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import AudioReached, Close, Outgoing
from streamer.protocol.inputs import (
    AudioReceived,
    ClearRequested,
    ConfigureRequested,
    FlushRequested,
    Input,
    ReplyRequested,
    StartRequested,
)
from streamer.protocol.requests import BadRequest
from streamer.services import Services
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

PATH = "/v1/realtime"

SUBPROTOCOL = "realtime"
"""Answered when it is offered; browsers show their key beside it."""

MAX_TEXT_BYTES = 1_048_576
"""Bytes of a message: 16 s of audio at 24 kHz."""

IDLE_SECONDS = 900.0
"""Clients keep sockets for later, without a message, for ten minutes."""

MIN_COMMIT_S = 0.1
"""Seconds of audio that can be committed; as OpenAI has it."""

MAX_ITEM_S = 1_800.0
"""Seconds of audio after which an item is committed if the client does not. Its transcript, with
log probabilities of each word, is one message, and packages of clients read up to 1 MiB."""

MAX_NAMES = 20
"""Names in a line of the log."""

BINARY = "a binary message; allowed: audio in base64, in 'input_audio_buffer.append'"

_log = logging.getLogger(__name__)


class RealtimeDialect:
    """One client.

    Args:
        services: What all sessions share.
        new_id: Makes 20 random characters.
        now: Seconds since 1970.
    """

    name: DialectName = "realtime"
    route: Route = "segmented"
    segmentation: Segmentation = "speech"
    binary_is_audio = False
    credential_in_start = False
    max_text_bytes: int | None = MAX_TEXT_BYTES
    idle_seconds: float | None = IDLE_SECONDS
    max_lag_seconds: float | None = None

    def __init__(
        self, services: Services, new_id: Callable[[], str], now: Callable[[], float]
    ) -> None:
        self._access = services.access
        self._session = Session(services, new_id(), now())
        items = Items(self._session.mode, lambda: f"item_{new_id()}")
        self._writer = Writer(items, self._session.in_its_words)
        self._started = False
        """Whether there is a stream: it begins with the first audio."""
        self._uncommitted_bytes = 0
        """Since the last commit, in the encoding of now."""
        self._uncommitted_before_s = 0.0
        """Seconds of the same, in other encodings."""
        self._noted = False
        """Whether names without a meaning were logged."""

    def credential(self, request: UpgradeRequest) -> str | None:
        """A token, or the ticket of a client secret."""
        shown = request.credential
        return shown if shown is None or self._access.is_token(shown) else ticket_in(shown)

    def open(self, request: UpgradeRequest) -> Opening:
        """The model, the settings of a client secret, and whether it is a client of the beta."""
        self._session.open(request)
        if request.credential is not None:
            self._session.use_secret(request.credential)
        self._writer.begin(self._session.mode)
        return Opening(
            subprotocol=answered(request.subprotocols, {SUBPROTOCOL}),
            frames=[*self._writer.encode(self._session.created())],
        )

    def refuse(self, refused: UpgradeRefused) -> Response:
        """In the shape of OpenAI's errors."""
        if refused.status == HTTPStatus.UNAUTHORIZED:
            return unauthorized(refused.message, PATH)
        return error_response(
            refused.status, refused.code, refused.message, refused.headers, path=PATH
        )

    def read(self, frame: str | bytes) -> Sequence[Input]:
        """One message of the client.

        Raises:
            BadRequest: It cannot be acted on.
        """
        try:
            if isinstance(frame, bytes):
                raise refused("invalid_value", BINARY, None)
            return [*self._inputs(read_message(frame))]
        except Refused as error:
            self._writer.expect_error(error.problem)
            raise BadRequest("bad_message", error.problem.message) from None

    def write(self, item: Outgoing) -> Iterable[str | Close]:
        """The frames of an event."""
        if isinstance(item, Close):
            return (*self._writer.end(), item)
        # Only for dialects that ask for them, in `Opening`.
        assert not isinstance(item, AudioReached)
        return self._writer.frames(item)

    def _inputs(self, message: Message) -> Iterator[Input]:
        match message:
            case Append(audio=audio):
                if not audio:
                    return
                if not self._started:
                    self._started = True
                    yield StartRequested(self._session.start)
                self._uncommitted_bytes += len(audio)
                yield AudioReceived(audio)
                if self._session.settings.manual and self._uncommitted_s >= MAX_ITEM_S:
                    yield from self._commit(self._uncommitted_s)
            case Commit(event_id=event_id):
                if self._uncommitted_s < MIN_COMMIT_S:
                    have_ms = round(self._uncommitted_s * 1000)
                    text = f"the buffer has {have_ms} ms of audio; allowed: at least 100 ms"
                    raise refused("input_audio_buffer_commit_empty", text, None, event_id)
                yield from self._commit(self._uncommitted_s)
            case Clear():
                self._count_from_here(0.0)
                yield ReplyRequested(ClearAsked(self._started))
                yield ClearRequested()
            case SessionUpdate() | TranscriptionSessionUpdate():
                yield from self._update(message)

    def _update(self, message: SessionUpdate | TranscriptionSessionUpdate) -> Iterator[Input]:
        session, seconds = self._session, self._uncommitted_s
        before, was_manual = session.start, session.settings.manual
        self._note_ignored(session.update(message))
        if session.start.format != before.format:
            self._count_from_here(seconds)
        if was_manual and not session.settings.manual and seconds:
            yield from self._commit(seconds)
        elif session.settings.manual and not was_manual:
            self._count_from_here(0.0)  # what was before is in items, or is no speech
        if self._started and not session.fits_stream_of(before):
            yield StartRequested(session.start)
        elif self._started and session.start != before:
            yield ConfigureRequested(session.configure)
        yield ReplyRequested(session.changed(message))

    def _commit(self, seconds: float) -> Iterator[Input]:
        self._count_from_here(0.0)
        yield ReplyRequested(CommitAsked(seconds))
        yield FlushRequested()

    @property
    def _uncommitted_s(self) -> float:
        """Seconds of audio since the last commit."""
        in_this_encoding_s = self._uncommitted_bytes / self._session.start.format.bytes_per_second
        return self._uncommitted_before_s + in_this_encoding_s

    def _count_from_here(self, before_s: float) -> None:
        """Audio that follows is uncommitted, and so are this many seconds before it."""
        self._uncommitted_bytes, self._uncommitted_before_s = 0, before_s

    def _note_ignored(self, names: Sequence[str]) -> None:
        if names and not self._noted:
            self._noted = True
            _log.info("ignored: %s", ", ".join(map(show_name, names[:MAX_NAMES])))
