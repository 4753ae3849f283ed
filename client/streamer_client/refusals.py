"""An error for each way in which a server refuses a stream, or ends it. Pure."""

import json
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed

from streamer_client.errors import (
    CannotConnect,
    ConnectionLost,
    ServerError,
    ServerGoingAway,
    StreamEnded,
    StreamerError,
    Unauthorized,
)
from streamer_client.wrong_path import is_stream_path, no_stream_at, shown

LATER = {
    429: "takes no more requests for now",
    502: "is a proxy that reached no server",
    503: "cannot take another stream now",
    504: "is a proxy that got no answer from a server",
}
"""What each HTTP status says of a server that may accept the stream later."""

_ABOUT_A_TOKEN = ("unauthorized", "token", "ticket")
"""Words of the reasons with which a server closes the connection of a client it does not admit."""


def shows_token(url: str, token: str | None) -> bool:
    """Whether a client shows a token or a ticket: `token`, or the one in its address."""
    return token is not None or "token" in parse_qs(urlsplit(url).query)


def refusal(
    url: str, status: int, retry_after: str | None, reason: str | None, *, token_sent: bool
) -> StreamerError:
    """Return the error for an upgrade request answered with `status`; it has the server's reason.

    `retry_after` is the header of that name. Without a `reason`, a proxy may have answered.
    """
    place = shown(url)
    because = f" (HTTP {status})" + (f": {reason}" if reason else "")
    if status == 401 and not token_sent:
        return Unauthorized(f"the server at {place} requires a token (HTTP 401)")
    if status == 401:
        return Unauthorized(f"the server at {place} refused the token{because}")
    # Web frameworks answer 403 to a WebSocket on an unknown path, so a 403 is about the client
    # only where the path is right, or the server says so.
    if status == 403 and (reason or is_stream_path(url)):
        return Unauthorized(f"the server at {place} refused this client{because}", forbidden=True)
    if status in (403, 404):
        return no_stream_at(url, status)
    retry_after_s = float(retry_after) if retry_after and retry_after.isdigit() else None
    if what := LATER.get(status):
        message = f"the server at {place} {what}{because}"
    else:
        message = f"{place} answered HTTP {status} instead of opening a WebSocket"
        message += f": {reason}" if reason else ""
    return CannotConnect(message, status=status, retry_after_s=retry_after_s)


def reason_in(body: bytes | bytearray | None) -> str | None:
    """The reason in the body of a refusal; None = the body is not one of this server's."""
    try:
        message = json.loads(bytes(body or b""))["error"]["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return message if isinstance(message, str) else None


def error_for_close(closed: ConnectionClosed, received_s: float | None) -> StreamEnded:
    """Return the error for a connection that closed before its stream was complete.

    `received_s` is the number of seconds of audio that the server has acknowledged, if any.
    """
    code = closed.rcvd.code if closed.rcvd else 1006
    reason = closed.rcvd.reason if closed.rcvd else ""
    suffix = f": {reason}" if reason else ""
    match code:
        case 1008 if any(word in reason.lower() for word in _ABOUT_A_TOKEN):
            return Unauthorized(f"the server did not admit this client{suffix}")
        case 1008:
            return ServerError("policy", reason or "the server's policy ended the stream")
        case 1009:
            return ServerError("too_large", reason or "a message was too large for the server")
        case 1012:
            return ServerGoingAway(reason or "the server is shutting down", received_s=received_s)
        case 1013:
            return ServerError("overloaded", reason or "the server has no room for this stream")
        case 1011 if closed.rcvd:
            return ConnectionLost(f"the server failed (1011){suffix}", close_code=code)
        case 1006:
            return ConnectionLost(
                "the connection was lost without a closing frame (1006)", close_code=code
            )
        case _:
            return ConnectionLost(
                f"the server closed the connection ({code}) before the end of the stream{suffix}",
                close_code=code,
            )
