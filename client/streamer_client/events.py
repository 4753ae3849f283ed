"""The events that the server sends, as one small type."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer_client.errors import ServerError

_ENVELOPE = frozenset({"type", "channel", "start_time", "end_time", "is_final", "flushed"})


@dataclass(frozen=True, slots=True)
class Event:
    """One message from the server.

    `type` is one of `started`, `active`, `inactive`, `interim`, `segment`, `warning`, `error`,
    `stopped`, `going_away`. `fields` is the whole message, `raw` its JSON exactly as received.
    The properties are `None` where the message has no such field. Times are in seconds from the
    start of the stream.
    """

    type: str
    fields: Mapping[str, Any]
    raw: str

    @property
    def text(self) -> str | None:
        """The words, when the model is a transcriber."""
        return self._string("text")

    @property
    def channel(self) -> int | None:
        """The 0-based channel the event is about."""
        value = self.fields.get("channel")
        return value if isinstance(value, int) else None

    @property
    def time(self) -> float | None:
        """When speech began (`active`) or ended (`inactive`)."""
        return self.seconds("time")

    @property
    def start_time(self) -> float | None:
        """Where the audio given to the model begins."""
        return self.seconds("start_time")

    @property
    def end_time(self) -> float | None:
        """Where the audio given to the model ends."""
        return self.seconds("end_time")

    @property
    def code(self) -> str | None:
        """What went wrong, for `warning` and `error`."""
        return self._string("code")

    @property
    def message(self) -> str | None:
        """The same for people to read."""
        return self._string("message")

    @property
    def fatal(self) -> bool:
        """Whether this is an `error` that ends the stream."""
        return self.type == "error" and self.fields.get("fatal") is True

    @property
    def output(self) -> dict[str, Any]:
        """The output of the model in a `segment` or `interim`: text, or scores by name."""
        return {key: value for key, value in self.fields.items() if key not in _ENVELOPE}

    def seconds(self, field: str) -> float | None:
        """`field` as a number of seconds, `None` when it is absent or no number."""
        value = self.fields.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        return None

    def _string(self, field: str) -> str | None:
        value = self.fields.get(field)
        return value if isinstance(value, str) else None


def parse_event(message: str | bytes) -> Event:
    """Decode one WebSocket message.

    Raises:
        ServerError: with code `bad_reply` when it is not a JSON object with a `type`.
    """
    if isinstance(message, str):
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        if isinstance(fields, dict) and isinstance(fields.get("type"), str):
            return Event(fields["type"], fields, message)
    raise ServerError("bad_reply", f"not an event of a Streamer server: {message[:80]!r}")
