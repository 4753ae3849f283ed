"""The messages of Deepgram's live protocol, version 1, from the server to the client. Pure.

https://developers.deepgram.com/reference/speech-to-text/listen-streaming. No other types may be
sent: the Python SDK from 7.0 on stops listening at a type that it does not have.
"""

import msgspec
from msgspec import UNSET, UnsetType

from streamer.http.deepgram_answers import ModelInfo, Transcribed


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all messages."""


class ResultsMetadata(msgspec.Struct, frozen=True):
    """Who has made a transcript."""

    request_id: str
    model_info: ModelInfo
    model_uuid: str


class Results(_Message, frozen=True, tag="Results"):
    """A transcript of a piece of audio, final or not. Times in seconds.

    `channel_index` is the number of the channel, and how many there are.
    """

    channel_index: tuple[int, int]
    duration: float
    start: float
    is_final: bool
    speech_final: bool
    channel: Transcribed
    metadata: ResultsMetadata
    from_finalize: bool


class SpeechStarted(_Message, frozen=True, tag="SpeechStarted"):
    """Speech began at `timestamp` seconds."""

    channel: tuple[int, int]
    timestamp: float


class UtteranceEnd(_Message, frozen=True, tag="UtteranceEnd"):
    """No word for as long as the client asked for; the last ended at `last_word_end` seconds."""

    channel: tuple[int, int]
    last_word_end: float


class Metadata(_Message, frozen=True, tag="Metadata"):
    """The stream is over. `duration` in seconds."""

    transaction_key: str
    request_id: str
    sha256: str
    created: str
    duration: float
    channels: int
    models: list[str]
    model_info: dict[str, ModelInfo]


class ConfigureSuccess(_Message, frozen=True, tag="ConfigureSuccess"):
    """A `Configure` is in force; with the key terms, if it has replaced them."""

    request_id: str
    keyterms: tuple[str, ...] | UnsetType = UNSET


class ConfigureFailure(_Message, frozen=True, tag="ConfigureFailure"):
    """A `Configure` has changed nothing."""

    request_id: str
    code: str
    description: str


Message = Results | SpeechStarted | UtteranceEnd | Metadata | ConfigureSuccess | ConfigureFailure

_encoder = msgspec.json.Encoder()


def encode(message: Message) -> str:
    """Write one text frame."""
    return _encoder.encode(message).decode()
