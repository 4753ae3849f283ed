"""The life of one socket as a transition table: (state, input) → (next state, actions).

No I/O and no clock. The reader asks `Protocol.step` what an input means, and the processor carries
the actions out in order; this file is the whole truth about what is legal when.

    IDLE ──start──▶ STREAMING ──stop──▶ STOPPED ──start, audio──▶ STREAMING …
                        └──the server drains──▶ DRAINING ──stop, start, deadline──▶ CLOSING
      any state ──the client leaves, or must──▶ CLOSING
"""

from enum import Enum, auto


class _Key(Enum):
    """Looked up for every message; `Enum` would do the hashing in Python."""

    __hash__ = object.__hash__


class State(_Key):
    """Where a socket is in its life."""

    IDLE = auto()
    """Nothing started yet, or the last `start` was refused: there are no settings."""
    IGNORING = auto()
    """As IDLE, and audio that cannot be used is arriving; its sender has been told."""
    STREAMING = auto()
    """A stream is open."""
    DRAINING = auto()
    """A stream is open, and it is the last one: the server is about to end."""
    STOPPED = auto()
    """The last stream ended; its settings are remembered."""
    CLOSING = auto()
    """Nothing that arrives matters any more."""


class Input(_Key):
    """What can happen to a socket."""

    START = auto()
    AUDIO = auto()
    FLUSH = auto()
    KEEP_ALIVE = auto()
    STOP = auto()
    STOP_AND_DISCONNECT = auto()
    BAD_MESSAGE = auto()
    BAD_FORMAT = auto()
    TOO_LARGE = auto()
    IDLE_TIMEOUT = auto()
    SESSION_TOO_LONG = auto()
    UNAUTHORIZED = auto()
    OVERLOADED = auto()
    """The pipeline does not keep up with what was accepted."""
    DRAIN = auto()
    """The server is about to end."""
    DRAIN_DEADLINE = auto()
    """It ends now."""
    DISCONNECTED = auto()


class Action(Enum):
    """What the session does about it. Those on a stream wait for all audio before them."""

    BEGIN = auto()
    """Open a stream with the settings of this `start`, and remember them."""
    BEGIN_AGAIN = auto()
    """Open a stream with the remembered settings."""
    FEED = auto()
    """Hand this audio to the open stream."""
    FLUSH = auto()
    """End the open segment of every channel now."""
    FINISH = auto()
    """Deliver everything still owed on the open stream, then `stopped`."""
    REPORT = auto()
    """Send the `error` that goes with this input."""
    CLOSE = auto()
    """Close the socket, once everything before has been sent."""
    ANNOUNCE = auto()
    """Say at once that the server is going away."""
    CUT_OFF = auto()
    """Send the `error` and close at once: what waits to be processed is given up."""
    ABANDON = auto()
    """The client is gone: drop all work for it."""


_S, _I, _A = State, Input, Action
Cell = tuple[State, tuple[Action, ...]]

_CLOSED: dict[Input, Cell] = dict.fromkeys(Input, (_S.CLOSING, ()))
_NO_STREAM: dict[Input, Cell] = {
    _I.START: (_S.STREAMING, (_A.BEGIN,)),
    _I.AUDIO: (_S.IGNORING, (_A.REPORT,)),
    _I.FLUSH: (_S.IDLE, (_A.REPORT,)),
    _I.KEEP_ALIVE: (_S.IDLE, ()),
    _I.STOP: (_S.IDLE, (_A.REPORT,)),
    _I.STOP_AND_DISCONNECT: (_S.CLOSING, (_A.REPORT, _A.CLOSE)),
    _I.BAD_MESSAGE: (_S.IDLE, (_A.REPORT,)),
    _I.BAD_FORMAT: (_S.IDLE, (_A.REPORT,)),
    _I.TOO_LARGE: (_S.CLOSING, (_A.REPORT, _A.CLOSE)),
    _I.IDLE_TIMEOUT: (_S.CLOSING, (_A.REPORT, _A.CLOSE)),
    _I.SESSION_TOO_LONG: (_S.CLOSING, (_A.REPORT, _A.CLOSE)),
    _I.UNAUTHORIZED: (_S.CLOSING, (_A.REPORT, _A.CLOSE)),
    _I.OVERLOADED: (_S.CLOSING, (_A.CUT_OFF,)),
    _I.DRAIN: (_S.CLOSING, (_A.ANNOUNCE, _A.CLOSE)),
    _I.DRAIN_DEADLINE: (_S.CLOSING, (_A.CLOSE,)),
    _I.DISCONNECTED: (_S.CLOSING, (_A.ABANDON,)),
}
_STREAM: dict[Input, Cell] = {
    _I.START: (_S.STREAMING, (_A.FINISH, _A.BEGIN)),
    _I.AUDIO: (_S.STREAMING, (_A.FEED,)),
    _I.FLUSH: (_S.STREAMING, (_A.FLUSH,)),
    _I.KEEP_ALIVE: (_S.STREAMING, ()),
    _I.STOP: (_S.STOPPED, (_A.FINISH,)),
    _I.STOP_AND_DISCONNECT: (_S.CLOSING, (_A.FINISH, _A.CLOSE)),
    _I.BAD_MESSAGE: (_S.STREAMING, (_A.REPORT,)),
    # The audio that follows is in the format that was refused, so the stream cannot go on.
    _I.BAD_FORMAT: (_S.IDLE, (_A.FINISH, _A.REPORT)),
    _I.TOO_LARGE: (_S.CLOSING, (_A.REPORT, _A.FINISH, _A.CLOSE)),
    _I.IDLE_TIMEOUT: (_S.CLOSING, (_A.REPORT, _A.FINISH, _A.CLOSE)),
    _I.SESSION_TOO_LONG: (_S.CLOSING, (_A.REPORT, _A.FINISH, _A.CLOSE)),
    _I.UNAUTHORIZED: (_S.CLOSING, (_A.REPORT, _A.FINISH, _A.CLOSE)),
    _I.OVERLOADED: (_S.CLOSING, (_A.CUT_OFF,)),
    _I.DRAIN: (_S.DRAINING, (_A.ANNOUNCE,)),
    _I.DRAIN_DEADLINE: (_S.CLOSING, (_A.FINISH, _A.CLOSE)),
    _I.DISCONNECTED: (_S.CLOSING, (_A.ABANDON,)),
}

TABLE: dict[State, dict[Input, Cell]] = {
    _S.IDLE: _NO_STREAM,
    # One report for an unbroken run of unusable audio: fifty a second would help nobody.
    _S.IGNORING: {**_NO_STREAM, _I.AUDIO: (_S.IGNORING, ())},
    _S.STREAMING: _STREAM,
    _S.DRAINING: {
        **_STREAM,
        _I.START: (_S.CLOSING, (_A.FINISH, _A.CLOSE)),
        _I.AUDIO: (_S.DRAINING, (_A.FEED,)),
        _I.FLUSH: (_S.DRAINING, (_A.FLUSH,)),
        _I.KEEP_ALIVE: (_S.DRAINING, ()),
        _I.STOP: (_S.CLOSING, (_A.FINISH, _A.CLOSE)),
        _I.BAD_MESSAGE: (_S.DRAINING, (_A.REPORT,)),
        _I.BAD_FORMAT: (_S.CLOSING, (_A.FINISH, _A.REPORT, _A.CLOSE)),
        _I.DRAIN: (_S.DRAINING, ()),
    },
    _S.STOPPED: {
        **_NO_STREAM,
        _I.AUDIO: (_S.STREAMING, (_A.BEGIN_AGAIN, _A.FEED)),
        _I.FLUSH: (_S.STOPPED, (_A.REPORT,)),
        _I.KEEP_ALIVE: (_S.STOPPED, ()),
        _I.STOP: (_S.STOPPED, (_A.REPORT,)),
        _I.STOP_AND_DISCONNECT: (_S.CLOSING, (_A.CLOSE,)),
        _I.BAD_MESSAGE: (_S.STOPPED, (_A.REPORT,)),
    },
    _S.CLOSING: _CLOSED,
}


class Protocol:
    """The state of one socket."""

    def __init__(self) -> None:
        self.state = State.IDLE

    def step(self, given: Input) -> tuple[Action, ...]:
        """Move to the next state and say what to do, in order."""
        self.state, actions = TABLE[self.state][given]
        return actions
