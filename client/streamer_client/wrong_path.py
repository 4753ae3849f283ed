"""What to do about an address at which there is a server, and no stream. Pure."""

import re
from urllib.parse import urlsplit

from streamer_client.errors import CannotConnect

STREAM_PATHS = ("/api/v1/segmented", "/api/v1/simple")


def shown(url: str) -> str:
    """An address as messages have it: without the token or the ticket that it may hold."""
    return re.sub(r"([?&]token=)[^&#\s]+", r"\1…", url)


def is_stream_path(url: str) -> bool:
    """Whether the path is that of a stream, where a server has no prefix."""
    return urlsplit(url).path in STREAM_PATHS


def _ends_like_stream_path(url: str) -> bool:
    """Whether the path is that of a stream, perhaps below the prefix of a proxy."""
    return urlsplit(url).path.endswith(STREAM_PATHS)


def stream_addresses(url: str) -> str:
    """The addresses of the streams of the server at a URL, in words."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    return " or ".join(origin + path for path in STREAM_PATHS)


def no_stream_at(url: str, status: int) -> CannotConnect:
    """The error for an upgrade that is answered with 403 or 404."""
    if is_stream_path(url):
        parts = urlsplit(url)
        message = (
            f"the server at {parts.scheme}://{parts.netloc} has no {parts.path} (HTTP {status}): "
            "it is not a Streamer server, or a proxy that does not pass this path on"
        )
    else:
        message = (
            f"the server has no stream at {shown(url)} (HTTP {status}); use {stream_addresses(url)}"
        )
    return CannotConnect(message, status=status)


def no_answer_from(url: str, timeout_s: float) -> CannotConnect:
    """The error for a WebSocket on which nothing, or nothing of our protocol, has come in time."""
    message = f"{shown(url)} accepted the connection but did not start within {timeout_s:g} s; "
    if _ends_like_stream_path(url):
        host = urlsplit(url).netloc
        scheme = "https" if urlsplit(url).scheme == "wss" else "http"
        message += (
            f"{scheme}://{host}/api/v1/ready says what it waits for, such as its model: try again "
            "later; if nothing answers there, it is not a Streamer server"
        )
    else:
        message += f"this is not a path of Streamer's protocol: use {stream_addresses(url)}"
    return CannotConnect(message, answered=True)


def other_protocol_at(url: str) -> CannotConnect:
    """The error for a WebSocket that speaks another protocol."""
    message = f"{shown(url)} answers in another protocol than Streamer's; "
    if _ends_like_stream_path(url):
        message += "it is not a Streamer server"
    else:
        message += f"use {stream_addresses(url)}"
    return CannotConnect(message, answered=True)
