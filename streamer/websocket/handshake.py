"""The opening handshake: the upgrade request becomes an ASGI scope, and is answered. Pure."""

import email.utils
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from streamer.websocket.asgi import Scope

BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
"""The answer to a request that cannot be parsed."""

MIN_STATUS, MAX_STATUS = 200, 599
"""HTTP status of an answer that refuses; those below 200 are interim answers."""

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Names and values, as ASGI has them."""

Address = tuple[str, int | None]
"""Host and port; or the path of a UNIX socket, and None."""


def transport_address(info: object) -> Address | None:
    """An address of the transport's extra information, as ASGI has it."""
    if isinstance(info, tuple):  # of IPv6, it has two more members
        return str(info[0]), int(info[1])
    return (info, None) if isinstance(info, str) else None


def scope_of(
    request: Request,
    *,
    secure: bool,
    server: Address | None,
    client: Address | None,
    root_path: str,
    asgi_version: str,
    state: dict[str, Any],
) -> Scope:
    """The ASGI scope of a connection (ASGI 3.0, WebSocket connection scope, 2.4)."""
    raw_path, _, query = request.path.partition("?")
    offered = request.headers.get_all("Sec-WebSocket-Protocol")
    return {
        "type": "websocket",
        "asgi": {"version": asgi_version, "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "wss" if secure else "ws",
        "server": server,
        "client": client,
        "root_path": root_path,
        "path": root_path + unquote(raw_path),
        "raw_path": (root_path + raw_path).encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [
            # websockets 16 decodes other bytes than ASCII to surrogates, 17 as ISO-8859-1.
            (name.encode("ascii"), value.encode("latin-1", "surrogateescape"))
            for name, value in request.headers.raw_items()
        ],
        "subprotocols": [name.strip() for value in offered for name in value.split(",")],
        "state": state.copy(),
        "extensions": {"websocket.http.response": {}},
    }


class Acceptance:
    """The HTTP answer that accepts a connection (RFC 6455, section 4.2.2).

    Args:
        switching: The core's answer to the request.
        default_headers: Returns the headers of every answer of the server; among them, the date.
    """

    def __init__(self, switching: Response, default_headers: Callable[[], RawHeaders]) -> None:
        self._switching = switching
        self._default_headers = default_headers

    def response(self, subprotocol: str | None, headers: RawHeaders) -> Response:
        """The answer, with what the application chose."""
        answer = self._switching
        del answer.headers["Date"]
        for name, value in (*self._default_headers(), *headers):
            answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        if subprotocol:
            answer.headers["Sec-WebSocket-Protocol"] = subprotocol
        return answer


class HandshakeRefusal:
    """An HTTP answer with which the application refuses a connection, until it is complete.

    Args:
        status: Of HTTP.
        headers: Names and values. Headers that every answer needs are added where they miss.

    Raises:
        RuntimeError: The status is not one of a final answer.
    """

    def __init__(self, status: int, headers: RawHeaders) -> None:
        if not MIN_STATUS <= status <= MAX_STATUS:
            raise RuntimeError(f"Invalid HTTP status code '{status}' in response.")
        self._status = status
        self._headers = Headers(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers
        )
        self._body = bytearray()

    def add(self, body: bytes) -> None:
        """Add a part of the body."""
        self._body += body

    def response(self) -> Response:
        """The complete answer."""
        needed = {
            "Date": email.utils.formatdate(usegmt=True),
            "Connection": "close",
            "Content-Length": str(len(self._body)),
            "Content-Type": "text/plain; charset=utf-8",
        }
        for name, value in needed.items():
            if name not in self._headers:
                self._headers[name] = value
        return Response(self._status, _phrase(self._status), self._headers, bytes(self._body))


def refusal(status: int, body: bytes = b"") -> Response:
    """A complete refusal, without headers of its own."""
    answer = HandshakeRefusal(status, ())
    answer.add(body)
    return answer.response()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
