"""What can happen to a socket: the inputs of the table in `state.py`.

A dialect makes the first ones from what a client sends; the session makes the others.
"""

from collections.abc import Iterable

import msgspec

from streamer.config.deprecations import Deprecation
from streamer.protocol.events import ErrorEvent
from streamer.protocol.requests import Configure, Flush, KeepAlive, Request, Start, Stop


class Input(msgspec.Struct, frozen=True):
    """Base of all inputs."""


class StartRequested(Input, frozen=True):
    """The client asks for a stream; the one that is open is finished first.

    Attributes:
        start: The settings.
        deprecated: The old names of fields that the message has.
    """

    start: Start
    deprecated: tuple[Deprecation, ...] = ()


class AudioReceived(Input, frozen=True):
    """A piece of audio, cut anywhere."""

    audio: bytes


class AudioPaused(Input, frozen=True):
    """A client that sends in real time has sent no audio for longer than silence ends a segment."""


class FlushRequested(Input, frozen=True):
    """The client ends the open segment of every channel."""


class ConfigureRequested(Input, frozen=True):
    """The client changes settings of the open stream.

    Attributes:
        configure: The settings.
        deprecated: The old names of fields that the message has.
    """

    configure: Configure
    deprecated: tuple[Deprecation, ...] = ()


class ClearRequested(Input, frozen=True):
    """The client discards the audio of the open segments, if there are any."""


class KeepAliveReceived(Input, frozen=True):
    """The client is still there."""


class StopRequested(Input, frozen=True):
    """The client ends the stream."""


class DisconnectRequested(Input, frozen=True):
    """The client ends the stream, and the socket once everything has been sent."""


class ReplyRequested(Input, frozen=True):
    """The client has sent something that the dialect answers by itself, in its turn.

    Attributes:
        content: Given back to the dialect, which makes the frames of it.
        before_audio: As of `Reply`.
    """

    content: object
    before_audio: bool = False


class FailureInput(Input, frozen=True):
    """Base of all inputs that are answered with an `error`."""

    failure: ErrorEvent


class BadMessage(FailureInput, frozen=True):
    """A message that cannot be acted on."""


class BadFormat(FailureInput, frozen=True):
    """A `start` with an audio format that is impossible or not supported."""


class TooLarge(FailureInput, frozen=True):
    """A message over a limit; nothing after it can be read."""


class IdleTimeout(FailureInput, frozen=True):
    """No message for too long."""


class SessionTooLong(FailureInput, frozen=True):
    """The socket has reached the longest allowed age."""


class Unauthorized(FailureInput, frozen=True):
    """No credential, or a wrong one."""


class Overloaded(FailureInput, frozen=True):
    """The pipeline does not keep up with the audio that was accepted."""


class DrainStarted(Input, frozen=True):
    """The server is going to end; the open stream may go on for a while."""

    deadline_seconds: float


class DrainDeadline(Input, frozen=True):
    """The server ends now."""


class Disconnected(Input, frozen=True):
    """The client is gone."""


INPUTS: tuple[type[Input], ...] = (
    StartRequested,
    AudioReceived,
    AudioPaused,
    FlushRequested,
    ConfigureRequested,
    ClearRequested,
    KeepAliveReceived,
    StopRequested,
    DisconnectRequested,
    ReplyRequested,
    BadMessage,
    BadFormat,
    TooLarge,
    IdleTimeout,
    SessionTooLong,
    Unauthorized,
    Overloaded,
    DrainStarted,
    DrainDeadline,
    Disconnected,
)
"""All of them; the table has a cell for each in every state."""


def input_of(request: Request, deprecated: Iterable[Deprecation] = ()) -> Input:
    """What a request of our own protocol means.

    Args:
        request: With the current names.
        deprecated: The old names that the message has.
    """
    match request:
        case Start() as start:
            return StartRequested(start, tuple(deprecated))
        case Configure() as configure:
            return ConfigureRequested(configure, tuple(deprecated))
        case Flush():
            return FlushRequested()
        case KeepAlive():
            return KeepAliveReceived()
        case Stop(disconnect=True):
            return DisconnectRequested()
        case Stop():
            return StopRequested()
