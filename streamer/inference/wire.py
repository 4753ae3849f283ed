"""What the server and its worker processes say to each other, and how it is framed.

Each message is msgpack behind its length (4 bytes, little-endian) on a private socket pair. Audio
does not travel this way: it lies in the worker's shared-memory slot.
"""

import struct
from typing import Any

import msgspec
import numpy as np

LENGTH = struct.Struct("<I")


class Job(msgspec.Struct, frozen=True, tag="job"):
    """Infer the first `samples` float32 samples of the slot, or `inline` if they do not fit."""

    samples: int
    inline: bytes | None = None


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded and warm."""

    sample_rate: int


class LoadFailed(msgspec.Struct, frozen=True, tag="load_failed"):
    """The model cannot be loaded."""

    reason: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The model's output, and the seconds it took."""

    output: dict[str, Any]
    seconds: float


class Raised(msgspec.Struct, frozen=True, tag="raised"):
    """The model raised on this job."""

    reason: str


Message = Job | Ready | LoadFailed | Done | Raised


def _plain(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a model's output must be JSON-able; {type(value).__name__} is not")


_encoder = msgspec.msgpack.Encoder()
_output_decoder = msgspec.json.Decoder(dict[str, Any])
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """One frame.

    Raises:
        TypeError: A model's output holds something that JSON cannot.
    """
    if isinstance(message, Done):
        # Through JSON here, in the worker: what it cannot hold is then this model's fault on this
        # segment, and never a frame that the server cannot read or an event that it cannot send.
        text = msgspec.json.encode(message.output, enc_hook=_plain)
        message = msgspec.structs.replace(message, output=_output_decoder.decode(text))
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a byte stream into messages, however it arrives."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                break
            messages.append(_decoder.decode(bytes(self._buffer[LENGTH.size : end])))
            del self._buffer[:end]
        return messages
