"""The events that the server sends: the fields of each, and one small type for all of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from streamer_client.errors import ServerError


@dataclass(frozen=True, slots=True)
class EventField:
    """A field of an event.

    Attributes:
        json_type: The type of the value in JSON.
        optional: Not every event of the type has the field.
        nullable: The value may be null instead.
    """

    json_type: Literal["string", "number", "boolean", "object", "array"]
    optional: bool = False
    nullable: bool = False


def _fields(**fields: EventField) -> Mapping[str, EventField]:
    return MappingProxyType(fields)


_STRING = EventField("string")
_NUMBER = EventField("number")
_BOOLEAN = EventField("boolean")

EVENT_FIELDS: Mapping[str, Mapping[str, EventField]] = MappingProxyType(
    {
        "started": _fields(
            session_id=_STRING,
            trace_id=_STRING,
            model=_STRING,
            sample_rate=_NUMBER,
            interim_results=_BOOLEAN,
            vad=EventField("object", nullable=True),
            max_message_bytes=_NUMBER,
            protocol=_NUMBER,
            words=EventField("boolean", optional=True),
            eager=EventField("boolean", optional=True),
        ),
        "configured": _fields(
            time=_NUMBER,
            model=_STRING,
            interim_results=_BOOLEAN,
            vad=EventField("object", nullable=True),
            keyterms=EventField("array"),
            words=EventField("boolean", optional=True),
            eager=EventField("boolean", optional=True),
        ),
        "active": _fields(time=_NUMBER, channel=_NUMBER),
        "inactive": _fields(time=_NUMBER, channel=_NUMBER),
        "interim": _fields(
            start_time=_NUMBER,
            end_time=_NUMBER,
            is_final=_BOOLEAN,
            channel=_NUMBER,
            eager=EventField("boolean", optional=True),
        ),
        "resumed": _fields(time=_NUMBER, channel=_NUMBER),
        "segment": _fields(
            start_time=_NUMBER,
            end_time=_NUMBER,
            is_final=_BOOLEAN,
            channel=_NUMBER,
            flushed=EventField("boolean", optional=True),
        ),
        "flushed": _fields(time=_NUMBER, channel=_NUMBER),
        "warning": _fields(code=_STRING, message=_STRING),
        "error": _fields(
            code=_STRING,
            message=_STRING,
            fatal=_BOOLEAN,
            channel=EventField("number", optional=True),
            start_time=EventField("number", optional=True),
            end_time=EventField("number", optional=True),
        ),
        "stopped": _fields(
            audio_seconds=_NUMBER,
            segments=_NUMBER,
            session_id=_STRING,
            seconds=EventField("array"),
        ),
        "going_away": _fields(message=_STRING, deadline_seconds=_NUMBER),
    }
)
"""By type of event: its fields by name, besides `type`.

`interim` and `segment` have the output of the model among them, under names of the model's own.
"""

VAD_FIELDS: Mapping[str, EventField] = _fields(
    engine=_STRING,
    threshold=_NUMBER,
    min_silence_ms=_NUMBER,
    min_speech_ms=_NUMBER,
    prefix_padding_ms=_NUMBER,
    max_segment_ms=_NUMBER,
)
"""Of `vad` in `started` and `configured`."""

SECONDS_FIELDS: Mapping[str, EventField] = _fields(
    channel=_NUMBER,
    received=_NUMBER,
    speech=_NUMBER,
    transcribed=_NUMBER,
    failed=_NUMBER,
    dropped=_NUMBER,
    loud_unheard=_NUMBER,
)
"""Of each object in `seconds` of `stopped`: where the audio of a channel went."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a `segment`, or of an eager `interim`, when the stream was started with `words`.

    Attributes:
        text: With the punctuation that follows it.
        start_time: In seconds from the start of the stream, as the times of the segment.
        end_time: In the same way.
        confidence: How certain the model is of it, 0 to 1.
    """

    text: str
    start_time: float
    end_time: float
    confidence: float


_ENVELOPE = frozenset({"type", *EVENT_FIELDS["interim"], *EVENT_FIELDS["segment"]})
"""Names that a model cannot use."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message from the server.

    `type` is one of `EVENT_FIELDS`. `fields` is the whole message, `raw` its JSON exactly as
    received. The properties are `None` where the message has no such field. Times are in seconds
    from the start of the stream.
    """

    type: str
    fields: Mapping[str, Any]
    raw: str

    @property
    def text(self) -> str | None:
        """The words, when the model is a transcriber."""
        return self._string("text")

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of a `segment` or an eager `interim`; none if they were not asked for."""
        value = self.fields.get("words")
        found = map(_word, value if isinstance(value, list) else ())
        return tuple(word for word in found if word is not None)

    @property
    def confidence(self) -> float | None:
        """How certain a transcriber is of a `segment`, 0 to 1: the mean of its words."""
        return self.seconds("confidence")

    @property
    def channel(self) -> int | None:
        """The 0-based channel the event is about."""
        value = self.fields.get("channel")
        return value if isinstance(value, int) else None

    @property
    def time(self) -> float | None:
        """When speech began (`active`), went on (`resumed`) or ended (`inactive`).

        Of `flushed`: up to where all is. Of `configured`: speech that begins then, or later, has
        the new settings.
        """
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
    def eager(self) -> bool:
        """Whether this is an `interim` that becomes the segment, unless `resumed` follows."""
        return self.type == "interim" and self.fields.get("eager") is True

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


def _word(value: object) -> Word | None:
    """A word of `words`; None for what a model of another kind has under this name."""
    if not isinstance(value, dict) or not isinstance(text := value.get("text"), str):
        return None
    numbers = [value.get(name) for name in ("start_time", "end_time", "confidence")]
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
        return None
    return Word(text, *map(float, numbers))  # type: ignore[arg-type]


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
