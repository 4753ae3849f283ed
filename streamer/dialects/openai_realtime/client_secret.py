"""What a client secret holds: a ticket, and the settings that were chosen when it was made.

They are part of the secret, so that the server keeps nothing of them: `ek_TICKET.SETTINGS`, the
settings as JSON, compressed, in the alphabet that headers and subprotocols can carry. Who holds a
secret could change them, as every client can change the settings of its session.
"""

import base64
import zlib
from typing import Any

import msgspec

from streamer.dialects.openai_realtime.messages import refused
from streamer.dialects.openai_realtime.settings import Settings

PREFIX = "ek_"
"""OpenAI's packages take a key that begins like this in a browser."""

MAX_SETTINGS_BYTES, MAX_UNPACKED_BYTES = 4_096, 16_384
"""Bytes of the settings in a secret, which has to fit in a header; and as JSON."""


def packed(settings: Settings) -> str:
    """The settings, as a part of a secret.

    Raises:
        Refused: They are too long.
    """
    tree = msgspec.json.encode(settings)
    text = base64.urlsafe_b64encode(zlib.compress(tree)).rstrip(b"=").decode()
    if len(text) > MAX_SETTINGS_BYTES or len(tree) > MAX_UNPACKED_BYTES:
        problem = f"'session' has {len(tree)} bytes, which is too much for a secret"
        raise refused("string_above_max_length", problem, "session")
    return text


def ticket_in(secret: str) -> str:
    """The ticket of a secret; another credential is returned as it is."""
    return secret.partition(".")[0] if secret.startswith(PREFIX) else secret


def settings_in(secret: str) -> dict[str, Any] | None:
    """The `session` of an update, as the secret has it; None = it has none, or something else."""
    _, _, text = secret.partition(".")
    if not secret.startswith(PREFIX) or not text:
        return None
    unpacker = zlib.decompressobj()
    try:
        compressed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        tree = msgspec.json.decode(unpacker.decompress(compressed, MAX_UNPACKED_BYTES))
    except (ValueError, zlib.error, RecursionError):  # msgspec's errors are ValueErrors
        return None
    if not isinstance(tree, dict):
        return None
    include = tree.pop("include", None)
    return {"audio": {"input": tree}, "include": include}
