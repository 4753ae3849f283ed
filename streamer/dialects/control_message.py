"""What clients of several protocols send in text frames: JSON objects with a `type`. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec


def control_message(frame: str) -> tuple[str, Mapping[str, Any]]:
    """The type of a message, and all its fields; an empty type for what is no message.

    Anything may come: what is not understood is ignored, as by the original.
    """
    try:
        tree = msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return "", {}
    kind = tree.get("type") if isinstance(tree, dict) else None
    return (kind, tree) if isinstance(kind, str) else ("", {})
