"""What a session does about an input: the outputs of the table in `state.py`."""

import msgspec

from streamer.protocol.events import ErrorEvent, Event
from streamer.protocol.requests import Configure, Start


class Begin(msgspec.Struct, frozen=True):
    """Open a stream with these settings, and remember them."""

    start: Start


class BeginAgain(msgspec.Struct, frozen=True):
    """Open a stream with the remembered settings."""


class Reconfigure(msgspec.Struct, frozen=True):
    """Change the settings of the open stream, and send `configured`."""

    configure: Configure


class Discard(msgspec.Struct, frozen=True):
    """Discard the open segment of every channel, and send `Cleared`."""


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


class Reply(msgspec.Struct, frozen=True):
    """Send an answer that a dialect gives by itself, behind what was sent before.

    Attributes:
        content: Given back to the dialect, which makes the frames of it.
        before_audio: Whether it need not wait for audio that the pipeline takes only together with
            later audio. A client that sends the later audio when it has the answer needs this.
    """

    content: object
    before_audio: bool = False


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `ClearRequested`, one for each channel; for dialects, and no event on a wire.

    It comes behind all that was to come of the audio before, and before all of later audio. A
    segment that was open has an `active`, and nothing else.

    Attributes:
        time: Of the request, in seconds from the start of the stream.
        channel: From 0.
    """

    time: float
    channel: int


class AudioReached(msgspec.Struct, frozen=True, kw_only=True):
    """Audio of a container is processed; for dialects that ask for it.

    Only the decoder knows how long the audio is that a client has sent.

    Attributes:
        time: Up to which it is, in seconds from the start of the stream.
    """

    time: float


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
    Begin
    | BeginAgain
    | Reconfigure
    | Discard
    | EndSegments
    | EndPausedSegments
    | Finish
    | SendError
    | Reply
    | Close
    | DropWork
)
"""Carried out in order, when all audio before it has been processed."""

Action = ImmediateAction | QueuedAction

Outgoing = Event | Cleared | AudioReached | Reply | Close
"""What a dialect makes frames of, in order."""
