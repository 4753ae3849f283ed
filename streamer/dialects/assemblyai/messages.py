"""The messages of AssemblyAI's live protocol, from the server to the client. Pure.

https://www.assemblyai.com/docs/api-reference/streaming-api/streaming-api. Every field is always
there, and what is a whole number there is one here: the packages check both, and stop reading.
"""

import msgspec


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all messages."""


class Begin(_Message, frozen=True, tag="Begin"):
    """The first message; `expires_at` is in seconds since 1970."""

    id: str
    expires_at: int


class SpeechStarted(_Message, frozen=True, tag="SpeechStarted"):
    """Speech began; in milliseconds from the start of the stream."""

    timestamp: int


class TurnWord(msgspec.Struct, frozen=True):
    """A word; times in milliseconds from the start of the stream."""

    text: str
    start: int
    end: int
    confidence: float
    word_is_final: bool


class Turn(_Message, frozen=True, tag="Turn"):
    """What has been said of a turn so far, or all of it."""

    turn_order: int
    turn_is_formatted: bool
    end_of_turn: bool
    transcript: str
    end_of_turn_confidence: float
    words: list[TurnWord]


class Termination(_Message, frozen=True, tag="Termination"):
    """The last message."""

    audio_duration_seconds: int
    session_duration_seconds: int


class Error(_Message, frozen=True, tag="Error"):
    """Why the socket is going to be closed, and with which code."""

    error_code: int
    error: str


Message = Begin | SpeechStarted | Turn | Termination | Error

_encoder = msgspec.json.Encoder()


def encode(message: Message) -> str:
    """Write one text frame."""
    return _encoder.encode(message).decode()
