"""WebSockets by hand: what no library would send."""

import contextlib
import socket
import struct
from collections.abc import Iterator

from tools.harness.process import PATIENCE_S, Server

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONT, FIN = 0, 0x80

UPGRADE = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
START = b'{"request": "start", "format": {"sample_rate": 16000}}'


def request(path: str = "/api/v1/simple", **headers: str) -> bytes:
    """An upgrade request; `_` in a header's name stands for a dash."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in {**UPGRADE, **named}.items()]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def frame(opcode: int, payload: bytes = b"", flags: int = FIN) -> bytes:
    """A masked frame; the mask is zero."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([flags | opcode]) + length + bytes(4) + payload


@contextlib.contextmanager
def connected(server: Server, receive_buffer: int | None = None) -> Iterator[socket.socket]:
    """A TCP connection."""
    with socket.socket() as raw:
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(PATIENCE_S)
        raw.connect(("127.0.0.1", server.port))
        yield raw


@contextlib.contextmanager
def upgraded(
    server: Server, path: str = "/api/v1/simple", receive_buffer: int | None = None
) -> Iterator[socket.socket]:
    """A WebSocket."""
    with connected(server, receive_buffer) as raw:
        raw.sendall(request(path))
        assert raw.recv(4096).startswith(b"HTTP/1.1 101")
        yield raw


def reset(raw: socket.socket) -> None:
    """Make its closing a reset: whatever is not sent yet is dropped, and so is what is not read."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def rest(raw: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := raw.recv(65_536):
            received += data
    return received


def until_closed(raw: socket.socket) -> bytes:
    """All that comes on a WebSocket up to the closing frame, which is answered."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while close_code(received) is None and (data := raw.recv(65_536)):
            received += data
        raw.sendall(frame(CLOSE, b"\x03\xe8"))
    return received


def frames(received: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of what a server sent."""
    found = []
    while len(received) >= 2:
        size, head = received[1] & 0x7F, 2
        if size > 125:
            head += 2 if size == 126 else 8
            size = int.from_bytes(received[2:head], "big")
        found.append((received[0] & 0x0F, received[head : head + size]))
        received = received[head + size :]
    return found


def close_code(received: bytes) -> int | None:
    """Of the closing frame, if there is one."""
    payloads = [payload for opcode, payload in frames(received) if opcode == CLOSE]
    return int.from_bytes(payloads[0][:2], "big") if payloads else None
