"""What a session does about an input: the outputs of the table in `state.py`."""

import msgspec

from streamer.protocol.messages import ErrorEvent, Start


class Begin(msgspec.Struct, frozen=True):
    """Open a stream with these settings, and remember them."""

    start: Start


class BeginAgain(msgspec.Struct, frozen=True):
    """Open a stream with the remembered settings."""


class Feed(msgspec.Struct, frozen=True):
    """Process this audio in the open stream."""

    audio: bytes


class EndSegments(msgspec.Struct, frozen=True):
    """End the open segment of every channel now."""


class EndPausedSegments(msgspec.Struct, frozen=True):
    """End the open segment of every channel as silence would: the client has paused."""


class Finish(msgspec.Struct, frozen=True):
    """Deliver every pending result of the open stream, then `stopped`."""


class SendError(msgspec.Struct, frozen=True):
    """Send this `error`."""

    failure: ErrorEvent


class Close(msgspec.Struct, frozen=True):
    """Close the socket, once everything before has been sent.

    Attributes:
        code: Why, for programs; a `CloseCode`, or a dialect's own.
        reason: Why, in words; at most 123 bytes of UTF-8.
    """

    code: int
    reason: str = ""


class SendGoingAway(msgspec.Struct, frozen=True):
    """Send `going_away` at once, before all that waits to be processed."""

    deadline_seconds: float


class CutOff(msgspec.Struct, frozen=True):
    """Send this `error` and close at once; what waits to be processed is dropped."""

    failure: ErrorEvent
    close: Close


class DropWork(msgspec.Struct, frozen=True):
    """The client is gone: drop all work for it."""


ImmediateAction = Feed | SendGoingAway | CutOff
"""Carried out when the input is read. `Feed` only puts the audio in line."""

QueuedAction = (
    Begin | BeginAgain | EndSegments | EndPausedSegments | Finish | SendError | Close | DropWork
)
"""Carried out in order, when all audio before it has been processed."""

Action = ImmediateAction | QueuedAction
