"""What a client says, and what happens to its socket, as commands for the processor.

Synchronous: whoever calls has decided about the order.
"""

from streamer.access.tokens import Access, Standing
from streamer.config.explain import show
from streamer.pipeline.outbox import Close, Outbox
from streamer.protocol.messages import (
    BadRequest,
    Failed,
    Flush,
    GoingAway,
    KeepAlive,
    Start,
    Stop,
    Warned,
    decode_request,
)
from streamer.protocol.state import Action, Input, Protocol, State
from streamer.services import Services
from streamer.session.commands import NORMAL, POLICY, RESTART, TOO_BIG, TRY_LATER, Command, failed
from streamer.session.deadlines import Due
from streamer.session.inbox import Inbox


class Conversation:
    """One client's side of a socket.

    Args:
        inbox: Takes the commands and the audio, in order.
        outbox: Takes what cannot wait for its turn there.
        services: What all sessions share.
        standing: Whether the client has shown a token.
    """

    def __init__(
        self, inbox: Inbox[Command], outbox: Outbox, services: Services, standing: Standing
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._vad = services.config.vad
        self._models = services.pools.names
        self._limits = services.config.limits
        self._access: Access = services.access
        self._standing = standing
        self._protocol = Protocol()
        if standing is Standing.REFUSED:
            self._unauthorized()

    @property
    def over(self) -> bool:
        """Whether nothing that the client still sends matters."""
        return self._protocol.state is State.CLOSING

    def hear(self, audio: bytes) -> None:
        """A binary message."""
        if self._standing is not Standing.ADMITTED:
            self._unauthorized()
        elif audio:  # an empty message holds no audio, so it changes nothing
            self._step(Input.AUDIO, audio=audio, failure=_UNEXPECTED_AUDIO)

    def obey(self, text: str) -> None:
        """A text message."""
        size, allowed = len(text.encode()), self._limits.max_text_bytes
        if size > allowed:
            self.refuse(f"the message has {size} bytes; allowed: limits.max_text_bytes, {allowed}")
            return
        try:
            request = decode_request(text, max_channels=self._limits.max_channels)
            if not self._may(request):
                return
            if isinstance(request, Start):
                self._check(request)
        except BadRequest as error:
            if self._may(None):
                given = Input.BAD_FORMAT if error.code == "bad_format" else Input.BAD_MESSAGE
                self._step(given, failure=failed(error.code, str(error)), close_code=RESTART)
            return
        match request:
            # The closing that may follow a start or a stop is the server's: it is draining.
            case Start():
                self._step(Input.START, start=request, close_code=RESTART)
            case Flush():
                self._step(Input.FLUSH, failure=_no_stream("flush"))
            case KeepAlive():
                self._step(Input.KEEP_ALIVE)
            case Stop(disconnect=True):
                self._step(Input.STOP_AND_DISCONNECT, failure=_no_stream("stop"))
            case Stop():
                self._step(Input.STOP, failure=_no_stream("stop"), close_code=RESTART)

    def refuse(self, why: str) -> None:
        """A message was too large to be taken."""
        failure = failed("too_large", why, fatal=True)
        self._step(Input.TOO_LARGE, failure=failure, close_code=TOO_BIG)

    def leave(self) -> None:
        """The client is gone."""
        self._step(Input.DISCONNECTED)

    def drain(self, deadline_seconds: float) -> None:
        """The server is about to end; the stream may go on for so long."""
        self._step(Input.DRAIN, deadline_seconds=deadline_seconds, close_code=RESTART)

    def finish(self) -> None:
        """The server ends."""
        self._step(Input.DRAIN_DEADLINE, close_code=RESTART)

    def expire(self, due: Due) -> None:
        """Time has run out."""
        limits = self._limits
        match due:
            case Due.TOO_LONG:
                longest = limits.max_session_seconds
                text = f"the session has lasted limits.max_session_seconds ({longest:g})"
                failure = failed("session_too_long", text, fatal=True)
                self._step(Input.SESSION_TOO_LONG, failure=failure, close_code=POLICY)
            case Due.NO_START:
                text = f"nothing received for limits.start_seconds ({limits.start_seconds:g})"
                self._step(Input.IDLE_TIMEOUT, failure=failed("idle_timeout", text, fatal=True))
            case Due.IDLE:
                text = f"nothing received for limits.idle_seconds ({limits.idle_seconds:g})"
                self._step(Input.IDLE_TIMEOUT, failure=failed("idle_timeout", text, fatal=True))
            case Due.OVERLOADED:
                text = (
                    "the server does not keep up: audio has waited for limits.max_lag_seconds "
                    f"({limits.max_lag_seconds:g})"
                )
                failure = failed("overloaded", text, fatal=True)
                self._step(Input.OVERLOADED, failure=failure, close_code=TRY_LATER)
            case Due.LAGGING:
                text = "the server is busy: it is behind with this audio"
                self._outbox.warn_once(Warned(code="lagging", message=text))

    def slow_down(self, limit: str, allowed: int) -> None:
        """The client sends more messages than are read in a second."""
        text = f"messages come faster than {limit} ({allowed}): they are read more slowly"
        self._outbox.warn_once(Warned(code="lagging", message=text))

    def _may(self, request: object) -> bool:
        """Whether the client is known, or is by this request; if not, it has been told."""
        if self._standing is not Standing.ADMITTED:
            token = request.token if isinstance(request, Start) else None
            if token is None or not self._access.admits(token):
                self._unauthorized()
                return False
            self._standing = Standing.ADMITTED
        return True

    def _unauthorized(self) -> None:
        text = "a valid token is needed, in a header, a subprotocol or the first start"
        failure = failed("unauthorized", text, fatal=True)
        self._step(Input.UNAUTHORIZED, failure=failure, close_code=POLICY)

    def _check(self, start: Start) -> None:
        """What the schema alone cannot say."""
        if start.model is not None and start.model not in self._models:
            allowed = ", ".join(self._models)
            raise BadRequest("bad_message", f"'model' is {show(start.model)}; allowed: {allowed}")
        if problem := start.vad.over(self._vad).problem():
            raise BadRequest("bad_message", f"'vad': {problem}")

    def _step(
        self,
        given: Input,
        *,
        audio: bytes | None = None,
        start: Start | None = None,
        failure: Failed | None = None,
        close_code: int = NORMAL,
        deadline_seconds: float = 0.0,
    ) -> None:
        for action in self._protocol.step(given):
            match action:
                case Action.FEED:
                    assert audio is not None
                    self._inbox.put_audio(audio)
                case Action.ANNOUNCE:
                    self._outbox.post(_going_away(deadline_seconds))
                case Action.CUT_OFF:
                    assert failure is not None
                    self._outbox.post(failure)
                    self._outbox.post(Close(close_code))
                case _:
                    self._inbox.put(Command(action, start, failure, close_code))


def _no_stream(request: str) -> Failed:
    return failed("unexpected_message", f"{request}: no stream is open; send 'start' first")


def _going_away(deadline_seconds: float) -> GoingAway:
    message = "the server is shutting down: finish, or connect again"
    return GoingAway(message=message, deadline_seconds=deadline_seconds)


_UNEXPECTED_AUDIO = failed(
    "unexpected_message", "audio: no stream is open; send 'start' with its format first"
)
