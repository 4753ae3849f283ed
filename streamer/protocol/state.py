"""The life of one socket as a transition table: (state, input) → (next state, actions).

Pure: no I/O and no clock. Inputs are in `inputs.py`, actions in `actions.py`. The session asks
`SocketState.step` what an input means and carries the actions out in order, so this file is the
whole truth about what is legal when.

    IDLE ──start──▶ STREAMING ──stop──▶ STOPPED ──start, audio──▶ STREAMING …
                        └──the server drains──▶ DRAINING ──stop, start, deadline──▶ CLOSING
      any state ──the client leaves, or must──▶ CLOSING
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto

from streamer.protocol import inputs as i
from streamer.protocol.actions import (
    Action,
    Begin,
    BeginAgain,
    Close,
    CutOff,
    Discard,
    DropWork,
    EndPausedSegments,
    EndSegments,
    Feed,
    Finish,
    Reconfigure,
    Reply,
    SendError,
    SendGoingAway,
)
from streamer.protocol.codes import CloseCode, close_reason
from streamer.protocol.events import ErrorEvent


class State(Enum):
    """Where a socket is in its life."""

    IDLE = auto()
    """No stream has begun, or the last `start` was refused: there are no settings."""
    IGNORING = auto()
    """As IDLE, while audio that cannot be used arrives; its `error` has been sent."""
    STREAMING = auto()
    """A stream is open."""
    DRAINING = auto()
    """A stream is open, and it is the last one: the server is going to end."""
    STOPPED = auto()
    """The last stream ended; its settings are remembered."""
    CLOSING = auto()
    """Nothing that arrives matters any more."""

    __hash__ = object.__hash__  # looked up for every message; Enum's own hash is Python code


CLOSE_REASON_SHUTTING_DOWN = "the server is shutting down"

_NO_STREAM_FOR: Mapping[type[i.Input], str] = {
    i.AudioReceived: "audio: no stream is open; send 'start' with its format first",
    i.FlushRequested: "flush: no stream is open; send 'start' first",
    i.ConfigureRequested: "configure: no stream is open; send 'start' first",
    i.StopRequested: "stop: no stream is open; send 'start' first",
    i.DisconnectRequested: "stop: no stream is open; send 'start' first",
}
_CLOSE_CODES: Mapping[type[i.Input], CloseCode] = {
    i.DisconnectRequested: CloseCode.NORMAL,
    i.IdleTimeout: CloseCode.NORMAL,
    i.TooLarge: CloseCode.MESSAGE_TOO_BIG,
    i.SessionTooLong: CloseCode.POLICY_VIOLATION,
    i.Unauthorized: CloseCode.POLICY_VIOLATION,
    i.Overloaded: CloseCode.TRY_AGAIN_LATER,
    # These close the socket only because the server drains.
    i.StartRequested: CloseCode.SERVICE_RESTART,
    i.StopRequested: CloseCode.SERVICE_RESTART,
    i.BadFormat: CloseCode.SERVICE_RESTART,
    i.DrainStarted: CloseCode.SERVICE_RESTART,
    i.DrainDeadline: CloseCode.SERVICE_RESTART,
}
"""Of every input that closes the socket in some state."""


# Makers of actions. The table has the inputs for which each is called.


def _begin(given: i.Input) -> Begin:
    assert isinstance(given, i.StartRequested)
    return Begin(given.start)


def _begin_again(_: i.Input) -> BeginAgain:
    return BeginAgain()


def _feed(given: i.Input) -> Feed:
    assert isinstance(given, i.AudioReceived)
    return Feed(given.audio)


def _end_segments(_: i.Input) -> EndSegments:
    return EndSegments()


def _end_paused_segments(_: i.Input) -> EndPausedSegments:
    return EndPausedSegments()


def _finish(_: i.Input) -> Finish:
    return Finish()


def _send_error(given: i.Input) -> SendError:
    if isinstance(given, i.FailureInput):
        return SendError(given.failure)
    message = _NO_STREAM_FOR[type(given)]
    return SendError(ErrorEvent(code="unexpected_message", message=message, fatal=False))


def _reconfigure(given: i.Input) -> Reconfigure:
    assert isinstance(given, i.ConfigureRequested)
    return Reconfigure(given.configure)


def _discard(_: i.Input) -> Discard:
    return Discard()


def _reply(given: i.Input) -> Reply:
    assert isinstance(given, i.ReplyRequested)
    return Reply(given.content, given.before_audio)


def _close(given: i.Input) -> Close:
    code = _CLOSE_CODES[type(given)]
    if code is CloseCode.SERVICE_RESTART:
        return Close(code, CLOSE_REASON_SHUTTING_DOWN)
    message = given.failure.message if isinstance(given, i.FailureInput) else ""
    return Close(code, close_reason(message))


def _send_going_away(given: i.Input) -> SendGoingAway:
    assert isinstance(given, i.DrainStarted)
    return SendGoingAway(given.deadline_seconds)


def _cut_off(given: i.Input) -> CutOff:
    assert isinstance(given, i.FailureInput)
    return CutOff(given.failure, _close(given))


def _drop_work(_: i.Input) -> DropWork:
    return DropWork()


_S = State
Cell = tuple[State, tuple[Callable[[i.Input], Action], ...]]
TableRow = Mapping[type[i.Input], Cell]

_CLOSED: TableRow = dict.fromkeys(i.INPUTS, (_S.CLOSING, ()))
_NO_STREAM: TableRow = {
    i.StartRequested: (_S.STREAMING, (_begin,)),
    i.AudioReceived: (_S.IGNORING, (_send_error,)),
    i.AudioPaused: (_S.IDLE, ()),
    i.FlushRequested: (_S.IDLE, (_send_error,)),
    i.ConfigureRequested: (_S.IDLE, (_send_error,)),
    i.ClearRequested: (_S.IDLE, ()),
    i.KeepAliveReceived: (_S.IDLE, ()),
    i.StopRequested: (_S.IDLE, (_send_error,)),
    i.DisconnectRequested: (_S.CLOSING, (_send_error, _close)),
    i.ReplyRequested: (_S.IDLE, (_reply,)),
    i.BadMessage: (_S.IDLE, (_send_error,)),
    i.BadFormat: (_S.IDLE, (_send_error,)),
    i.TooLarge: (_S.CLOSING, (_send_error, _close)),
    i.IdleTimeout: (_S.CLOSING, (_send_error, _close)),
    i.SessionTooLong: (_S.CLOSING, (_send_error, _close)),
    i.Unauthorized: (_S.CLOSING, (_send_error, _close)),
    i.Overloaded: (_S.CLOSING, (_cut_off,)),
    i.DrainStarted: (_S.CLOSING, (_send_going_away, _close)),
    i.DrainDeadline: (_S.CLOSING, (_close,)),
    i.Disconnected: (_S.CLOSING, (_drop_work,)),
}
_STREAM: TableRow = {
    i.StartRequested: (_S.STREAMING, (_finish, _begin)),
    i.AudioReceived: (_S.STREAMING, (_feed,)),
    i.AudioPaused: (_S.STREAMING, (_end_paused_segments,)),
    i.FlushRequested: (_S.STREAMING, (_end_segments,)),
    i.ConfigureRequested: (_S.STREAMING, (_reconfigure,)),
    i.ClearRequested: (_S.STREAMING, (_discard,)),
    i.KeepAliveReceived: (_S.STREAMING, ()),
    i.StopRequested: (_S.STOPPED, (_finish,)),
    i.DisconnectRequested: (_S.CLOSING, (_finish, _close)),
    i.ReplyRequested: (_S.STREAMING, (_reply,)),
    i.BadMessage: (_S.STREAMING, (_send_error,)),
    # The audio that follows is in the format that was refused, so the stream cannot go on.
    i.BadFormat: (_S.IDLE, (_finish, _send_error)),
    i.TooLarge: (_S.CLOSING, (_send_error, _finish, _close)),
    i.IdleTimeout: (_S.CLOSING, (_send_error, _finish, _close)),
    i.SessionTooLong: (_S.CLOSING, (_send_error, _finish, _close)),
    i.Unauthorized: (_S.CLOSING, (_send_error, _finish, _close)),
    i.Overloaded: (_S.CLOSING, (_cut_off,)),
    i.DrainStarted: (_S.DRAINING, (_send_going_away,)),
    i.DrainDeadline: (_S.CLOSING, (_finish, _close)),
    i.Disconnected: (_S.CLOSING, (_drop_work,)),
}

TABLE: Mapping[State, TableRow] = {
    _S.IDLE: _NO_STREAM,
    # One report for an unbroken run of unusable audio: fifty reports a second would not help.
    _S.IGNORING: {
        **_NO_STREAM,
        i.AudioReceived: (_S.IGNORING, ()),
        i.AudioPaused: (_S.IGNORING, ()),
    },
    _S.STREAMING: _STREAM,
    _S.DRAINING: {
        **_STREAM,
        i.StartRequested: (_S.CLOSING, (_finish, _close)),
        i.AudioReceived: (_S.DRAINING, (_feed,)),
        i.AudioPaused: (_S.DRAINING, (_end_paused_segments,)),
        i.FlushRequested: (_S.DRAINING, (_end_segments,)),
        i.ConfigureRequested: (_S.DRAINING, (_reconfigure,)),
        i.ClearRequested: (_S.DRAINING, (_discard,)),
        i.KeepAliveReceived: (_S.DRAINING, ()),
        i.StopRequested: (_S.CLOSING, (_finish, _close)),
        i.ReplyRequested: (_S.DRAINING, (_reply,)),
        i.BadMessage: (_S.DRAINING, (_send_error,)),
        i.BadFormat: (_S.CLOSING, (_finish, _send_error, _close)),
        i.DrainStarted: (_S.DRAINING, ()),
    },
    _S.STOPPED: {
        **_NO_STREAM,
        i.AudioReceived: (_S.STREAMING, (_begin_again, _feed)),
        i.AudioPaused: (_S.STOPPED, ()),
        i.FlushRequested: (_S.STOPPED, (_send_error,)),
        i.ConfigureRequested: (_S.STOPPED, (_send_error,)),
        i.ClearRequested: (_S.STOPPED, ()),
        i.KeepAliveReceived: (_S.STOPPED, ()),
        i.StopRequested: (_S.STOPPED, (_send_error,)),
        i.DisconnectRequested: (_S.CLOSING, (_close,)),
        i.ReplyRequested: (_S.STOPPED, (_reply,)),
        i.BadMessage: (_S.STOPPED, (_send_error,)),
    },
    _S.CLOSING: _CLOSED,
}


class SocketState:
    """The state of one socket."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self._row = TABLE[self.state]

    @property
    def streaming(self) -> bool:
        """Whether a stream is open."""
        return self.state in (State.STREAMING, State.DRAINING)

    def step(self, given: i.Input) -> list[Action]:
        """Move to the next state; returns what is to be done, in order."""
        state, makers = self._row[type(given)]
        if state is not self.state:
            self.state, self._row = state, TABLE[state]
        return [make(given) for make in makers]
