"""What a client sends and what happens to its socket, as inputs of the state table.

Synchronous: the order of the calls is the order of the inputs.
"""

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, assert_never

from streamer.access.refusal_log import why_unauthorized, with_advice
from streamer.access.tokens import Access, AuthState
from streamer.config.deprecations import Deprecation
from streamer.config.limits import LimitsConfig
from streamer.pipeline.outbox import Outbox
from streamer.protocol.actions import QueuedAction
from streamer.protocol.events import ErrorEvent, WarningEvent
from streamer.protocol.inputs import (
    AudioReceived,
    BadFormat,
    BadMessage,
    ConfigureRequested,
    Disconnected,
    DrainDeadline,
    DrainStarted,
    IdleTimeout,
    Input,
    Overloaded,
    SessionTooLong,
    StartRequested,
    TooLarge,
    Unauthorized,
)
from streamer.protocol.requests import BadRequest, NotJson
from streamer.services import Services
from streamer.session.action_router import ActionRouter
from streamer.session.deadlines import Expired
from streamer.session.dialect import Dialect
from streamer.session.inbox import Inbox
from streamer.session.start_checks import check_model, check_start

_log = logging.getLogger(__name__)

MAX_UTF8_BYTES = 4
"""Bytes of a character at most."""

TOKEN_PLACES = "send one in a header, a subprotocol or the first start"  # noqa: S105 – a sentence


class ClientInputs:
    """One client's side of a socket.

    Args:
        dialect: Reads the client's frames.
        limits: Of this socket.
        inbox: Takes the audio, and the actions that wait for their turn behind it.
        outbox: Takes what is sent at once.
        services: What all sessions share.
        auth: Whether the client has shown a credential.
        address: Of the client; None = unknown.
        ping: Sends a ping, whose pong is passed to `on_pong`; returns False if it cannot.

    Attributes:
        pauses: Notices when a client stops sending; to be run.
    """

    def __init__(
        self,
        dialect: Dialect,
        limits: LimitsConfig,
        inbox: Inbox[QueuedAction],
        outbox: Outbox,
        services: Services,
        auth: AuthState,
        address: str | None,
        ping: Callable[[], bool],
    ) -> None:
        self._dialect = dialect
        self._outbox = outbox
        self._services = services
        self._limits = limits
        self._access: Access = services.access
        self._auth = auth
        self._address = address
        self._router = ActionRouter(dialect, inbox, outbox, services, ping)
        self._frame_bytes = 0
        """Of the frame that is being read."""
        self.pauses = self._router.pauses
        self.on_pong = self.pauses.on_pong

    @property
    def binary_is_audio(self) -> bool:
        """Whether small binary messages may be passed to `on_binary` as one."""
        return self._dialect.binary_is_audio

    @property
    def over(self) -> bool:
        """Whether nothing that the client still sends matters."""
        return self._router.over

    def on_inputs(self, inputs: Iterable[Input]) -> None:
        """What a frame or the upgrade request means.

        Raises:
            BadRequest: A `start` or `configure` that cannot be acted on; the inputs before it have
                been.
        """
        for given in inputs:
            start = given.start if isinstance(given, StartRequested) else None
            if not self._admits(start.token if start is not None else None):
                return
            if isinstance(given, ConfigureRequested) and self._router.streaming:
                before = self._router.start
                assert before is not None  # a stream is open
                start = given.configure.over(before)
                check_model(start.model, before.model, self._services)
            if start is not None:
                check_start(start, self._services)
                self._router.start = start
            if isinstance(given, StartRequested | ConfigureRequested):
                self._warn_of_old(given.deprecated)
            self._step(given)

    def on_binary(self, frame: bytes) -> None:
        """A binary message; mostly audio."""
        if self._auth is AuthState.ADMITTED:
            self._read(frame)
        else:
            self._refuse(AuthState.UNKNOWN)

    def on_text(self, text: str) -> None:
        """A text message."""
        allowed = self._limits.max_text_bytes
        if len(text) * MAX_UTF8_BYTES > allowed and (size := len(text.encode())) > allowed:
            limit = "" if self._dialect.max_text_bytes else "limits.max_text_bytes, "
            message = f"the message has {size} bytes; allowed: {limit}{allowed}"
            self.on_too_large(message)
            return
        self._read(text)

    def on_too_large(self, message: str) -> None:
        """A message was too large to be read."""
        self._step(TooLarge(ErrorEvent(code="too_large", message=message, fatal=True)))

    def on_malformed(self, message: str) -> None:
        """What the client sends cannot be read."""
        self._step(BadMessage(ErrorEvent(code="bad_message", message=message, fatal=False)))

    def on_disconnect(self) -> None:
        """The client is gone."""
        self._step(Disconnected())

    def on_drain(self, deadline_seconds: float) -> None:
        """The server is going to end; the stream may go on until the deadline."""
        self._step(DrainStarted(deadline_seconds))

    def on_drain_deadline(self) -> None:
        """The server ends."""
        self._step(DrainDeadline())

    def on_deadline(self, expired: Expired) -> None:
        """A limit of time has been reached."""
        limits = self._limits
        match expired:
            case Expired.TOO_LONG:
                longest = limits.max_session_seconds
                text = f"the session has lasted limits.max_session_seconds ({longest:g})"
                failure = ErrorEvent(code="session_too_long", message=text, fatal=True)
                self._step(SessionTooLong(failure))
            case Expired.NO_START:
                text = f"nothing received for {self._named_limit('start_seconds')}"
                self._step(IdleTimeout(ErrorEvent(code="idle_timeout", message=text, fatal=True)))
            case Expired.IDLE:
                text = f"nothing received for {self._named_limit('idle_seconds')}"
                self._step(IdleTimeout(ErrorEvent(code="idle_timeout", message=text, fatal=True)))
            case Expired.OVERLOADED:
                text = (
                    "the server does not keep up: audio has waited for limits.max_lag_seconds "
                    f"({limits.max_lag_seconds:g})"
                )
                self._step(Overloaded(ErrorEvent(code="overloaded", message=text, fatal=True)))
            case Expired.LAGGING:
                text = "the server is busy: it is behind with this audio"
                self._outbox.warn_once(WarningEvent(code="lagging", message=text))
            case _:
                assert_never(expired)

    def on_slowed(self, limit: str, allowed: int) -> None:
        """The client sends more messages than are read in a second."""
        text = f"messages come faster than {limit} ({allowed}): they are read more slowly"
        self._outbox.warn_once(WarningEvent(code="lagging", message=text))

    def _warn_of_old(self, deprecated: Sequence[Deprecation]) -> None:
        """Warn once of old names: the client by an event, the operator by the log."""
        text = "; ".join(map(str, deprecated))
        if text and self._outbox.warn_once(WarningEvent(code="deprecated_field", message=text)):
            _log.info("a client uses old names: %s", text)

    def _named_limit(self, name: Literal["start_seconds", "idle_seconds"]) -> str:
        """A limit in seconds, by the name that an operator can change it by."""
        seconds: float = getattr(self._limits, name)
        own = self._dialect.idle_seconds is not None
        return f"{seconds:g} s" if own else f"limits.{name} ({seconds:g})"

    def _read(self, frame: str | bytes) -> None:
        try:
            inputs = tuple(self._dialect.read(frame))  # to the end, before the first has effect
            admitted = self._auth is AuthState.ADMITTED
            if admitted and len(inputs) == 1 and isinstance(inputs[0], AudioReceived):
                self._router.step(inputs[0])  # nothing else comes as often
                return
            if not any(isinstance(given, AudioReceived) for given in inputs):
                self._frame_bytes = sys.getsizeof(frame)  # audio counts itself
            self.on_inputs(inputs)
        except BadRequest as error:
            self._frame_bytes = sys.getsizeof(frame)
            unread = str(error) if isinstance(error, NotJson) else None
            if self._admits(error.token, unread):
                kind = BadFormat if error.code == "bad_format" else BadMessage
                self._step(kind(ErrorEvent(code=error.code, message=str(error), fatal=False)))
        finally:
            self._frame_bytes = 0

    def _admits(self, token: object, unread: str | None = None) -> bool:
        """Whether the client is admitted, or is by this token; if not, the `error` is sent.

        Args:
            token: In the message, of whatever type; None = it has none.
            unread: Why the message cannot be read, and so no token in it.
        """
        if self._auth is AuthState.ADMITTED:
            return True
        shown = AuthState.UNKNOWN if token is None else AuthState.REFUSED
        if isinstance(token, str):
            shown = self._access.auth_state(token)
        if shown is AuthState.ADMITTED:
            self._auth = shown
            return True
        self._refuse(shown, unread)
        return False

    def _refuse(self, auth: AuthState, unread: str | None = None) -> None:
        if not self.over:
            self._services.refusals.unauthorized(self._address, auth, unread)
        message = with_advice(why_unauthorized(auth, unread), TOKEN_PLACES)
        event = ErrorEvent(code="unauthorized", message=message, fatal=True)
        self._step(Unauthorized(event))

    def _step(self, given: Input) -> None:
        self._router.step(given, self._frame_bytes)
