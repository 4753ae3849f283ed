"""Opening a WebSocket over a blocking socket, and beginning a stream on it."""

import contextlib
import json
import re
import socket
import time
from urllib.parse import urlsplit

from streamer.load.plan import LoadPlan
from streamer.load.websocket_frames import TEXT, FrameReader, client_frame, upgrade
from streamer_client.errors import CannotConnect, ServerError, Unauthorized
from streamer_client.refusals import reason_in, refusal, shows_token
from streamer_client.wrong_path import no_answer_from, other_protocol_at

CONNECT_TIMEOUT_S = 30.0
"""Seconds until the server must have accepted, and answered `start`."""

REASON_TIMEOUT_S = 2.0
"""Seconds until the body of a refusal must have come."""

MAX_REASON_BYTES = 4096
"""Bytes of a refusal's body that are read."""


def open_stream(plan: LoadPlan) -> tuple[socket.socket, bytes]:
    """Connect and send `start`.

    Returns:
        The socket, which no longer blocks, and the bytes of the frames that came already.

    Raises:
        CannotConnect: Nothing usable answers at the address.
        Unauthorized: The token is missing or not valid.
        ServerError: The server refuses the stream.
    """
    address = urlsplit(plan.address)
    try:
        connected = socket.create_connection(
            (address.hostname or "", address.port or 80), CONNECT_TIMEOUT_S
        )
        try:
            return connected, _start(connected, plan)
        except BaseException:
            connected.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotConnect(f"cannot connect to {plan.address}: {reason}") from error


def _start(connected: socket.socket, plan: LoadPlan) -> bytes:
    """Upgrade to a WebSocket, send `start`, wait for the answer; return all frames so far."""
    frames = _upgrade(connected, plan)
    request = {
        "request": "start",
        "format": {name: v for name, v in plan.format.settings().items() if v is not None},
        "interim_results": plan.interim_results,
    }
    connected.sendall(client_frame(TEXT, json.dumps(request).encode()))
    while not (found := list(FrameReader().feed(frames))):
        try:
            frames += _receive(connected, plan)
        except TimeoutError:
            raise no_answer_from(plan.address, CONNECT_TIMEOUT_S) from None
    opcode, payload = found[0]
    _check_answer(payload if opcode == TEXT else b"", plan)
    connected.setblocking(False)
    return frames


def _check_answer(payload: bytes, plan: LoadPlan) -> None:
    """Check that the first message of the server is `started`."""
    try:
        event = json.loads(payload)
    except ValueError:
        event = None
    match event:
        case {"type": "started"}:
            return
        case {"type": "error", "code": "unauthorized", "message": str(message)}:
            raise Unauthorized(f"the server did not admit this client: {message}")
        case {"type": "error", "code": str(code), "message": str(message)}:
            raise ServerError(code, message)
        case _:
            raise other_protocol_at(plan.address)


def _upgrade(connected: socket.socket, plan: LoadPlan) -> bytes:
    """Send the upgrade request; return what followed the head of its answer."""
    address = urlsplit(plan.address)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    connected.sendall(upgrade(address.netloc, target, plan.token))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _receive(connected, plan)
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].decode("latin-1")
    if " 101" in status:
        return rest
    code = status.split()[1:2]
    if not status.startswith("HTTP/") or not code or not code[0].isdecimal():
        raise CannotConnect(f"{plan.address} answered {status}")
    reason = reason_in(_receive_body(connected, rest))
    sent = shows_token(plan.address, plan.token)
    raise refusal(plan.address, int(code[0]), _retry_after(head), reason, token_sent=sent)


def _retry_after(head: bytes) -> str | None:
    found = re.search(rb"\r\nretry-after:[ \t]*([^\r]+)", head, re.IGNORECASE)
    return found[1].decode("latin-1").strip() if found else None


def _receive_body(connected: socket.socket, received: bytes) -> bytes:
    """Complete the body of a refusal, until it holds a reason or nothing more comes."""
    deadline_s = time.monotonic() + REASON_TIMEOUT_S
    with contextlib.suppress(OSError):
        while len(received) < MAX_REASON_BYTES and reason_in(received) is None:
            connected.settimeout(max(0.01, deadline_s - time.monotonic()))
            if not (data := connected.recv(MAX_REASON_BYTES)):
                break
            received += data
    return received


def _receive(connected: socket.socket, plan: LoadPlan) -> bytes:
    if data := connected.recv(1 << 16):
        return data
    raise CannotConnect(f"{plan.address} closed the connection")
