"""What differs between the protocols of two vendors' speech recognizers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import DecodeError

from streamer.config.dialect_names import DialectName
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.requests import BadRequest
from streamer.rpc.recognition.encodings import Encoding
from streamer.rpc.recognition.results import Found, Result
from streamer.rpc.recognition.settings import Asked

Message = Any
"""A protobuf message: its class is made when the schema is read."""


class RecognizerWire(ABC):
    """One vendor's messages.

    Attributes:
        name: Of the dialect.
        encodings: Those that the server can decode, by their numbers.
        other_encodings: Names of those that it cannot.
        streaming_request: Class of what comes in a live call.
        recording_request: Class of what comes in a call with a recording.
    """

    name: DialectName
    encodings: Mapping[int, Encoding]
    other_encodings: Mapping[int, str]
    streaming_request: Message
    recording_request: Message

    @property
    def raw_encodings(self) -> Sequence[str]:
        """Names of those of raw audio."""
        return [encoding.name for encoding in self.encodings.values() if encoding.raw]

    @abstractmethod
    def asked(self, config: Message, models: Sequence[ServedModel]) -> Asked:
        """What a `RecognitionConfig` asks for.

        Raises:
            BadRequest: It asks for something that would be done wrongly.
        """

    @abstractmethod
    def recording(self, request: Message) -> bytes:
        """The audio of a request with a recording.

        Raises:
            BadRequest: It has none.
        """

    @abstractmethod
    def response(self, found: Found, asked: Asked, request: Message) -> bytes | None:
        """What a live call is answered with; None = nothing.

        Args:
            found: What has happened.
            asked: What the client asks for.
            request: Its first message.
        """

    @abstractmethod
    def recognized(
        self, results: Sequence[Result], seconds: float, asked: Asked, request: Message
    ) -> bytes:
        """What a call with a recording is answered with.

        Args:
            results: Final ones, in order.
            seconds: Length of the audio.
            asked: What the client asks for.
            request: Its message.
        """


def parse(message_class: Message, message: bytes) -> Message:
    """Read a message.

    Raises:
        BadRequest: It is none of this class.
    """
    try:
        return message_class.FromString(message)
    except DecodeError as error:
        name = message_class.DESCRIPTOR.full_name
        raise BadRequest("bad_message", f"the message is no {name}: {error}") from None
