"""The messages of Flux, Deepgram's protocol for turns, from the server to the client. Pure.

https://developers.deepgram.com/reference/speech-to-text/listen-flux. Each has a number, one more
than that of the message before.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

TurnEvent = Literal["StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]
Trigger = Literal["model", "manual", "timeout"]
"""What has ended a turn: silence, the client, or its length."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all messages."""

    request_id: str
    sequence_id: int


class FluxWord(msgspec.Struct, frozen=True):
    """A word as it is written; times in seconds from the start of the stream."""

    word: str
    confidence: float
    start: float
    end: float


class Connected(_Message, frozen=True, tag="Connected"):
    """The first message."""


class TurnInfo(_Message, frozen=True, tag="TurnInfo"):
    """What has happened to a turn. The window is the audio of `transcript`, in seconds."""

    event: TurnEvent
    turn_index: int
    audio_window_start: float
    audio_window_end: float
    transcript: str
    words: list[FluxWord]
    end_of_turn_confidence: float
    trigger: Trigger | UnsetType = UNSET


class Thresholds(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a turn ends; what is absent was not given."""

    eager_eot_threshold: float | None = None
    eot_threshold: float | None = None
    eot_timeout_ms: int | None = None


class ConfigureSuccess(_Message, frozen=True, tag="ConfigureSuccess"):
    """A `Configure` is in force, with all that is in force now."""

    thresholds: Thresholds
    keyterms: tuple[str, ...]


class ConfigureFailure(_Message, frozen=True, tag="ConfigureFailure"):
    """A `Configure` has changed nothing."""

    code: str
    description: str


Message = Connected | TurnInfo | ConfigureSuccess | ConfigureFailure

_encoder = msgspec.json.Encoder()


def encode(message: Message) -> str:
    """Write one text frame."""
    return _encoder.encode(message).decode()
