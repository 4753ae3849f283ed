"""A table of fields, and one loop over it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REQUIRED = object()


class BadMessage(ValueError):
    """A message that cannot be acted on."""


@dataclass(frozen=True)
class Field:
    """One row of the table."""

    allowed: str
    is_allowed: Callable[[Any], bool]
    default: object = REQUIRED


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most  # a bool is an int


FIELDS = {
    "request": Field("start", lambda value: value == "start"),
    "sample_rate": Field("8000 to 192000", _whole(8_000, 192_000)),
    "channels": Field("1 to 8", _whole(1, 8), 1),
    "interim_results": Field("true or false", lambda value: isinstance(value, bool), False),
}


def check_start(message: dict[str, Any]) -> dict[str, Any]:
    """Check every field of the table, then look for others."""
    settings = {}
    for name, field in FIELDS.items():
        value = message.get(name, field.default)
        if value is REQUIRED:
            raise BadMessage(f"'{name}' is missing; it is required")
        if not field.is_allowed(value):
            raise BadMessage(f"'{name}' is {json.dumps(value)}; allowed: {field.allowed}")
        settings[name] = value
    for name in message:
        if name not in FIELDS:
            raise BadMessage(f"unknown field '{name}'; allowed: {', '.join(FIELDS)}")
    return settings
