"""Wyoming's events as frames of a WebSocket, which a session reads. Pure.

A text frame is an event without payload, as JSON; a binary frame is audio of the format that was
given last.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from streamer.dialects.wyoming.codec import Event, MalformedEvent
from streamer.protocol.requests import BadRequest

MAX_DATA_BYTES = 262_144
"""Bytes of the data of an event that needs a session: names of a thousand devices in a
`transcribe`."""

MAX_TEXT_BYTES = 8 * MAX_DATA_BYTES
"""Bytes of a text frame. Its event was limited before; as a frame, it may have other bytes."""

SESSION_EVENTS = frozenset({"transcribe", "audio-start", "audio-chunk", "audio-stop"})
"""What needs a session. All else is answered without one, also when the server is full."""
NO_MORE = "null"
"""The text frame behind those of all events: the client waits for what it has not got yet."""

TOO_DEEP = "the data of an event is nested too deeply"
"""How deep is possible depends on the calls that are going on, so it may show in any step."""


class Frames:
    """Makes the frames of one connection; keeps the format of the audio.

    Attributes:
        in_command: Whether there was audio, or its start, and no end of it yet.
    """

    def __init__(self) -> None:
        self._format: tuple[object, ...] | None = None
        self.in_command = False

    def of(self, event: Event) -> Iterator[str | bytes]:
        """The frames of one event.

        Raises:
            MalformedEvent: It is nested too deeply.
        """
        if event.type.startswith("audio-"):
            self.in_command = event.type != "audio-stop"
        if event.type == "audio-chunk":
            given = tuple(event.data.get(name) for name in ("rate", "width", "channels"))
            if given != self._format:
                self._format = given
                yield _text(event)
            if event.payload:
                yield event.payload
            return
        self._format = None
        yield _text(event)


def event_of(frame: str) -> tuple[str, Mapping[str, Any]]:
    """The type and the data of the event in a text frame.

    Raises:
        BadRequest: It is nested too deeply.
    """
    try:
        kind, data = msgspec.json.decode(frame)
    except RecursionError:
        raise BadRequest("bad_message", TOO_DEEP) from None
    return kind, data


def _text(event: Event) -> str:
    try:
        return msgspec.json.encode((event.type, event.data)).decode()
    except RecursionError:
        raise MalformedEvent("bad_message", TOO_DEEP) from None
