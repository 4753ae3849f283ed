"""WebSockets over plain sockets, for bytes that no client library would send."""

import contextlib
import socket
import struct
from collections.abc import Iterator

from tools.harness.process import TIMEOUT_S, Server

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


def upgrade_request(path: str = "/api/v1/simple", **headers: str) -> bytes:
    """The bytes of an upgrade request; `_` in the name of a header becomes a dash."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in {**UPGRADE, **named}.items()]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def frame(opcode: int, payload: bytes = b"", flags: int = FIN) -> bytes:
    """One frame of a client, masked with zeros.

    Args:
        opcode: Of RFC 6455.
        payload: Of any length.
        flags: FIN and the reserved bits.
    """
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([flags | opcode]) + length + bytes(4) + payload


@contextlib.contextmanager
def open_connection(server: Server, receive_buffer: int | None = None) -> Iterator[socket.socket]:
    """Connect over TCP.

    Args:
        server: To this server.
        receive_buffer: Bytes of `SO_RCVBUF`; None = the default of the system.
    """
    with socket.socket() as raw:
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(TIMEOUT_S)
        raw.connect(("127.0.0.1", server.port))
        yield raw


@contextlib.contextmanager
def open_websocket(
    server: Server, path: str = "/api/v1/simple", receive_buffer: int | None = None
) -> Iterator[socket.socket]:
    """Connect over TCP and upgrade to a WebSocket."""
    with open_connection(server, receive_buffer) as raw:
        raw.sendall(upgrade_request(path))
        assert raw.recv(4096).startswith(b"HTTP/1.1 101")
        yield raw


def reset_on_close(raw: socket.socket) -> None:
    """Make `close` send a reset, which drops what is not sent and not read yet."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read_to_end(raw: socket.socket) -> bytes:
    """Read until the other end closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := raw.recv(65_536):
            received += data
    return received


def read_until_close(raw: socket.socket) -> bytes:
    """Read up to the closing frame of a WebSocket, and answer it."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while close_code(received) is None and (data := raw.recv(65_536)):
            received += data
        raw.sendall(frame(CLOSE, b"\x03\xe8"))
    return received


def parse_frames(received: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of each frame that a server sent."""
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
    """The code of the closing frame; None = there is none."""
    payloads = [payload for opcode, payload in parse_frames(received) if opcode == CLOSE]
    return int.from_bytes(payloads[0][:2], "big") if payloads else None
