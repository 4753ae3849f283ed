"""What the server answers: the wire types of its JSON text frames, and how these are written.

What a client sends is in `requests.py`. The contract is described for clients in
`docs/protocol.md`.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from streamer.config.key_terms import KeyTerms
from streamer.protocol.codes import ErrorCode, WarningCode

PROTOCOL_VERSION = 1


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all server messages."""


class VadInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The segmentation settings a stream runs with."""

    engine: str
    threshold: float
    min_silence_ms: int
    min_speech_ms: int
    prefix_padding_ms: int
    max_segment_ms: int


class Started(_Event, frozen=True, tag="started"):
    """A stream began; these are the settings in force."""

    session_id: str
    trace_id: str
    model: str
    sample_rate: int
    interim_results: bool
    vad: VadInForce | None
    max_message_bytes: int
    protocol: int
    words: bool | None = None
    """Whether segments carry words; None, and so absent, when they were not asked for."""
    eager: bool | None = None
    """Whether pauses have an eager interim; None, and so absent, when they were not asked for."""


class Configured(_Event, frozen=True, tag="configured"):
    """The answer to a `configure`: the settings in force.

    They count for each segment whose `active`, or without a VAD its start, is not before `time`
    seconds. The others keep those that they began with.
    """

    time: float
    model: str
    interim_results: bool
    vad: VadInForce | None
    keyterms: KeyTerms
    words: bool | None = None
    """As in `started`."""
    eager: bool | None = None
    """As in `started`."""


class Active(_Event, frozen=True, tag="active"):
    """Speech began at `time` seconds."""

    time: float
    channel: int


class Inactive(_Event, frozen=True, tag="inactive"):
    """Speech ended at `time` seconds."""

    time: float
    channel: int


class Interim(_Event, frozen=True, tag="interim"):
    """What the model makes of a segment that is still growing. Times in seconds.

    `eager`: speech has paused, and this is the segment unless speech resumes; for clients that ask.
    What follows of the channel is `resumed`, or `inactive` and a segment with the same times and
    output.
    """

    start_time: float
    end_time: float
    channel: int
    output: Mapping[str, object]
    eager: bool = False


class Resumed(_Event, frozen=True, tag="resumed"):
    """The segment of the last eager interim goes on, from `time` seconds."""

    time: float
    channel: int


SegmentEnd = Literal["silence", "flush", "stop", "cut"]
"""What has ended a segment: silence, or a pause of the audio; the client; the end of the stream; or
its length, so that the next one goes on where it ends."""


class Segment(_Event, frozen=True, tag="segment"):
    """The model's output for a whole segment. Times in seconds.

    `ended_by` is for dialects, and no field of `segment`.
    """

    start_time: float
    end_time: float
    channel: int
    output: Mapping[str, object]
    flushed: bool = False
    ended_by: SegmentEnd = "silence"


class Flushed(_Event, frozen=True, tag="flushed"):
    """The answer to a `flush`: a channel's audio before `time` seconds has all its results."""

    time: float
    channel: int


class WarningEvent(_Event, frozen=True, tag="warning"):
    """A notice for people; nothing is lost."""

    code: WarningCode
    message: str


class ErrorEvent(_Event, frozen=True, tag="error"):
    """Something that was asked for is not going to happen."""

    code: ErrorCode
    message: str
    fatal: bool
    channel: int | None = None
    start_time: float | None = None
    end_time: float | None = None


class ChannelSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """Where the audio of a channel went, in seconds; each is a whole number of samples.

    `received` is `transcribed`, `failed`, `dropped`, and what was taken for silence, of which
    `loud_unheard` is a part.
    """

    channel: int
    received: float
    speech: float
    transcribed: float
    failed: float
    dropped: float
    loud_unheard: float


class Stopped(_Event, frozen=True, tag="stopped"):
    """A stream ended; nothing of it follows."""

    audio_seconds: float
    segments: int
    session_id: str
    seconds: list[ChannelSeconds]


class GoingAway(_Event, frozen=True, tag="going_away"):
    """The server is draining; finish or reconnect."""

    message: str
    deadline_seconds: float


Event = (
    Started
    | Configured
    | Active
    | Inactive
    | Interim
    | Resumed
    | Segment
    | Flushed
    | WarningEvent
    | ErrorEvent
    | Stopped
    | GoingAway
)
_encoder = msgspec.json.Encoder()


def encode_event(event: Event) -> str:
    """Write one text frame; a model's output is merged into `segment` and `interim`."""
    if isinstance(event, Segment | Interim):
        return _encoder.encode(merge(event)).decode()
    return _encoder.encode(event).decode()


def merge(event: Segment | Interim) -> dict[str, object]:
    """The fields of the event as clients see it, with the model's output among them."""
    final = isinstance(event, Segment)
    envelope: dict[str, object] = {
        "type": "segment" if final else "interim",
        "start_time": event.start_time,
        "end_time": event.end_time,
        "is_final": final,
        "channel": event.channel,
    }
    if isinstance(event, Segment) and event.flushed:
        envelope["flushed"] = True
    if isinstance(event, Interim) and event.eager:
        envelope["eager"] = True
    # The envelope wins: a model cannot overwrite what clients rely on.
    reserved = {*envelope, "flushed", "eager"}
    return envelope | {key: v for key, v in event.output.items() if key not in reserved}
