"""Wrong frames, and wrong requests for a WebSocket, as bytes that no client library would send."""

from collections.abc import Mapping

from tools.bench.compare.message_scripts import AUDIO, MAX_MESSAGE_BYTES
from tools.bench.compare.players import STOP
from tools.harness.raw import BINARY, CLOSE, CONT, FIN, PING, START, TEXT, frame
from tools.harness.raw import upgrade_request as upgrade

_STOP = frame(TEXT, STOP.encode())
_STARTED = frame(TEXT, START)
_AUDIO = _STARTED + frame(BINARY, AUDIO)

FRAMES: Mapping[str, tuple[bytes, ...]] = {
    "a stream": (_AUDIO, _STOP),
    "a ping": (_STARTED, frame(PING, b"a") + frame(PING, b"") + _STOP),
    "a ping that is too long": (_AUDIO, frame(PING, bytes(126))),
    "a fragmented ping": (_STARTED, frame(PING, b"", flags=0)),
    "reserved bits": (_AUDIO, frame(BINARY, b"", flags=FIN | 0x40)),
    "an unknown opcode": (_STARTED, frame(3, b"")),
    "an unknown control opcode": (_STARTED, frame(11, b"")),
    "a text that is not UTF-8": (_STARTED, frame(TEXT, b"\xff\xfe")),
    "a frame without a mask": (_STARTED, b"\x82\x02ab"),
    "a continuation of nothing": (_STARTED, frame(CONT, b"a")),
    "a message in a message": (_STARTED, frame(BINARY, b"", flags=0) + frame(BINARY, b"")),
    "fragments": (
        _STARTED,
        frame(BINARY, AUDIO[:7], flags=0)
        + frame(PING, b"between")
        + frame(CONT, AUDIO[7:], flags=0)
        + frame(CONT, b"")
        + _STOP,
    ),
    "too many fragments": (
        _AUDIO,
        frame(BINARY, b"", flags=0) + frame(CONT, b"x", flags=0) * 1_024,
    ),
    "a length of 2⁶⁴ - 1": (_STARTED, b"\x82\xff" + b"\xff" * 8),
    "a length that is too large": (_AUDIO, frame(BINARY, bytes(2 * MAX_MESSAGE_BYTES))[:1_000]),
    "closed with 1000": (_STARTED, frame(CLOSE, b"\x03\xe8bye")),
    "closed without a code": (_STARTED, frame(CLOSE, b"")),
    "closed with half a code": (_STARTED, frame(CLOSE, b"\x03")),
    "closed with an invalid code": (_STARTED, frame(CLOSE, b"\x03\xed")),
    "closed without a stream": (frame(CLOSE, b"\x03\xe8"),),
}
"""Pieces of frames on an accepted WebSocket, which make the server close it."""

CLOSED = (frame(CLOSE, b"\x03\xe8"),)
OPEN = upgrade("/api/v1/segmented")


def _open_without(header: str) -> bytes:
    lines = OPEN.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(header.encode() + b":"))


HEADS: Mapping[str, bytes] = {
    "no key": _open_without("Sec-WebSocket-Key"),
    "no version": _open_without("Sec-WebSocket-Version"),
    "version 8": upgrade("/api/v1/segmented", Sec_WebSocket_Version="8"),
    "a short key": upgrade("/api/v1/segmented", Sec_WebSocket_Key="AAAA"),
    "another upgrade": upgrade("/api/v1/segmented", Upgrade="h2c", Connection="close, Upgrade"),
    "no HTTP": b"hello\r\n\r\n",
    "a header without a colon": b"GET /health HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "HTTP/1.0": b"GET /health HTTP/1.0\r\n\r\n",
    "a header that is too long": b"GET /health HTTP/1.1\r\nConnection: close\r\nHost: "
    + b"a" * 70_000
    + b"\r\n\r\n",
}
"""Bytes on a TCP connection, in the place of a good request."""
