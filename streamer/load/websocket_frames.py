"""WebSocket frames as bytes (RFC 6455): only what a load generator needs.

The masks are zero, so a payload is the same inside its frame: thousands of prepared frames of
audio are slices of one buffer. RFC 6455 (section 5.3) requires unpredictable masks, to protect
proxies from scripts in browsers. Between the generator and a server under test that does not
matter, and the server removes a mask of zeros at the same cost as any other.
"""

import base64
import os
import struct
from collections.abc import Iterable, Iterator

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

_FINAL, _MASKED = 0x80, 0x80
_NO_MASK = bytes(4)


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One unfragmented frame from a client."""
    size = len(payload)
    if size < 126:
        length = bytes((_MASKED | size,))
    elif size < 1 << 16:
        length = struct.pack(">BH", _MASKED | 126, size)
    else:
        length = struct.pack(">BQ", _MASKED | 127, size)
    return bytes((_FINAL | opcode,)) + length + _NO_MASK + payload


def frames_of(audio: bytes, message_bytes: int) -> bytes:
    """The whole messages of `audio`, each of `message_bytes`, framed one after another."""
    whole = len(audio) - len(audio) % message_bytes
    cuts: Iterable[int] = range(0, whole, message_bytes)
    return b"".join(client_frame(BINARY, audio[first : first + message_bytes]) for first in cuts)


def upgrade(host: str, path: str, token: str | None) -> bytes:
    """The HTTP request that begins a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class FrameReader:
    """Cuts what a server sends into frames, however it arrives. Servers do not mask."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) of each frame that `data` completes."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 2:
            size, head = buffer[1] & 0x7F, 2
            if size >= 126:
                head = 4 if size == 126 else 10
                if len(buffer) < head:
                    return
                size = int.from_bytes(buffer[2:head], "big")
            if len(buffer) < head + size:
                return
            opcode, payload = buffer[0] & 0x0F, bytes(buffer[head : head + size])
            del buffer[: head + size]
            yield opcode, payload
