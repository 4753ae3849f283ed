"""A buffer, and a loop."""

import struct

_LENGTH = struct.Struct("<I")


class BrokenStream(ValueError):
    """What was received cannot be a message."""


def frame(message: bytes) -> bytes:
    """Put the length before it."""
    return _LENGTH.pack(len(message)) + message


class Frames:
    """Keeps what is not complete."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take out one message after another."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > self._max_bytes:
                raise BrokenStream(f"a message of {length} bytes; allowed: {self._max_bytes}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            messages.append(bytes(self._buffer[_LENGTH.size : end]))
            del self._buffer[:end]
        return messages
