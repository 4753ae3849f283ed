"""Answers that need no session, and the event that ends a connection. Pure."""

from streamer.dialects.wyoming.codec import Event, encode_event
from streamer.protocol.requests import BadRequest

MAX_PING_CHARACTERS = 1_000
"""Of a text that is sent back. Answers wait for the client to read them, and only their number is
limited."""


def answer_of(event: Event, info: bytes) -> bytes | None:
    """The answer to an event that needs no session; None = it has none.

    Args:
        event: Of the client.
        info: The answer to `describe`.

    Raises:
        BadRequest: The text of a `ping` is too long.
    """
    if event.type == "describe":
        return info
    if event.type != "ping":
        return None
    text = event.data.get("text")
    if not isinstance(text, str):
        return encode_event("pong")
    if len(text) > MAX_PING_CHARACTERS:
        message = f"'text' has {len(text)} characters; allowed: {MAX_PING_CHARACTERS}"
        raise BadRequest("bad_message", message)
    return encode_event("pong", {"text": text})


def error(code: str, message: str) -> bytes:
    """An `error`.

    Args:
        code: For programs.
        message: One sentence.
    """
    return encode_event("error", {"text": message, "code": code})
