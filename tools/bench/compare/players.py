"""The clients: one stream, one script of messages, one request; each returns the whole answer."""

import contextlib
import http.client
import json
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tools.bench.compare.answers import Answer, http_answer, stream_answer
from tools.harness import raw
from tools.harness.sounds import Audio

PATIENCE_S = 120.0
"""Seconds for one answer."""

STOP = json.dumps({"request": "stop", "disconnect": True})

ScriptMessage = str | bytes

_ACCEPTED = b"HTTP/1.1 101"


def play(port: int, path: str, audio: Audio, messages: Iterable[bytes]) -> Answer:
    """One stream from `start` to the closing of the socket, without interims."""
    start = json.dumps({"request": "start", "format": audio.format})
    return exchange(port, path, [start, *messages, STOP])


def exchange(
    port: int,
    path: str,
    messages: Sequence[ScriptMessage],
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
    given: Collection[str] = (),
) -> Answer:
    """Send messages over a WebSocket, whatever is answered; then wait for the server to close it.

    Args:
        port: Of the server.
        path: Below `/api/v1/`.
        messages: Text and audio. The last one has to make the server close the socket.
        headers: Of the upgrade request.
        subprotocols: Of the upgrade request.
        given: Ids in the messages, which the server has to keep.
    """
    try:
        connection = connect(
            f"ws://127.0.0.1:{port}/api/v1/{path}",
            additional_headers=headers,
            subprotocols=[Subprotocol(each) for each in subprotocols] or None,
            compression=None,
            proxy=None,
            max_queue=None,
            open_timeout=PATIENCE_S,
        )
    except InvalidStatus as refused:
        reply = refused.response
        status = f"{reply.status_code} {reply.reason_phrase}"
        return http_answer(status, list(reply.headers.raw_items()), bytes(reply.body or b""))
    except InvalidHandshake as error:
        return Answer({"handshake": (str(error),)})
    with contextlib.closing(connection):
        with contextlib.suppress(ConnectionClosed):  # the rest of the answer gives the reason
            for message in messages:
                connection.send(message)
        frames = list(_frames(connection))
        closed = f"{connection.close_code} {connection.close_reason}"
        answer = stream_answer(frames, closed, given)
    assert connection.response is not None
    accepted = {"date", "sec-websocket-accept"}  # of this moment, and of a random key
    upgrade = connection.response.headers.raw_items()
    lines = tuple(f"{name}: {value}" for name, value in upgrade if name.lower() not in accepted)
    return Answer({"upgrade": lines, **answer.parts})


def _frames(connection: ClientConnection) -> Iterator[str]:
    with contextlib.suppress(ConnectionClosed):
        while True:
            received = connection.recv(PATIENCE_S)
            assert isinstance(received, str), "the server sent a binary message"
            yield received


def bytes_exchange(port: int, head: bytes, pieces: Sequence[bytes]) -> Answer:
    """Send bytes over TCP that no client library would send; read until the server closes.

    Args:
        port: Of the server.
        head: An HTTP request.
        pieces: Frames. The first piece is sent when the server has accepted a WebSocket, each
            other one when the server has answered the piece before it with a frame.
    """
    received = b""
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(head)
        unsent = list(pieces)
        while chunk := connection.recv(65_536):
            received += chunk
            before, end, after = received.partition(b"\r\n\r\n")
            if not (end and before.startswith(_ACCEPTED)):
                continue
            if raw.close_code(after) is not None:
                break
            if unsent and (len(unsent) == len(pieces) or raw.parse_frames(after)):
                connection.sendall(unsent.pop(0))
    head, _, rest = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    if not head.startswith(_ACCEPTED):
        return http_answer(status, headers, rest)
    answer = http_answer(status, headers, b"")
    sent = raw.parse_frames(rest)
    texts = [payload.decode() for opcode, payload in sent if opcode == raw.TEXT]
    closes = [payload for opcode, payload in sent if opcode == raw.CLOSE]
    others = [f"{op} {payload!r}" for op, payload in sent if op not in (raw.TEXT, raw.CLOSE)]
    closed = f"{int.from_bytes(closes[0][:2], 'big')} {closes[0][2:]!r}" if closes else "no close"
    streamed = stream_answer(texts, closed)
    return Answer({**answer.parts, **streamed.parts, "other frames": tuple(others)})


def request(
    port: int,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One HTTP request. A body that comes in pieces is sent in chunks of these sizes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        with contextlib.suppress(ConnectionError):  # refused before all of the body was sent
            connection.request(method, path, body, dict(headers or {}))
        try:
            response = connection.getresponse()
            received = response.read()
        except ConnectionError as error:
            return Answer({"connection": (type(error).__name__,)})
    status = f"{response.status} {response.reason}"
    return http_answer(status, response.getheaders(), received)


def form(fields: Mapping[str, str], filename: str, file: bytes) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a multipart form with one file."""
    boundary = "boundary-of-the-comparison"
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"'
    body = "".join(lines).encode() + f"{head}\r\n\r\n".encode() + file
    body += f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
