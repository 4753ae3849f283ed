"""What clients send: JSON in text frames, each an object with a `type`. Pure.

https://platform.openai.com/docs/api-reference/realtime-client-events. Fields that are not listed
are ignored, and the order of the fields does not matter.
"""

from typing import Any

import msgspec

from streamer.config.explain import show

MAX_OTHER_CHARACTERS = 16_384
"""Characters of a message that has no audio. What builds a tree of objects is kept small."""


MAX_NAME_BYTES = 1_024
"""Bytes of a `type` or an `event_id` that is shown or given back."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all messages."""


class Append(_Message, frozen=True, tag="input_audio_buffer.append"):
    """Audio: in base64, which the decoder turns into bytes."""

    audio: bytes


class _Named(_Message, frozen=True, kw_only=True):
    """Base of the others.

    `event_id` is a client's own name for its message, and comes back in the `error` about it.
    """

    event_id: Any = None


class Commit(_Named, frozen=True, tag="input_audio_buffer.commit"):
    """The audio since the last item is one item."""


class Clear(_Named, frozen=True, tag="input_audio_buffer.clear"):
    """Discard the audio since the last item."""


class SessionUpdate(_Named, frozen=True, tag="session.update"):
    """Change the settings that are given; null is a value, and not the same as an absent field."""

    session: dict[str, Any]


class TranscriptionSessionUpdate(_Named, frozen=True, tag="transcription_session.update"):
    """The same in the words of the beta."""

    session: dict[str, Any]


Message = Append | Commit | Clear | SessionUpdate | TranscriptionSessionUpdate

TYPES = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "transcription_session.update",
)

_decoder = msgspec.json.Decoder(Message)
_append_decoder = msgspec.json.Decoder(Append)


NULL = msgspec.Raw(b"null")


class _Head(msgspec.Struct, frozen=True):
    """What every message may have, whatever else is in it."""

    type: msgspec.Raw = NULL
    event_id: msgspec.Raw = NULL


_head_decoder = msgspec.json.Decoder(_Head)


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a message.

    Attributes:
        code: For programs.
        message: One sentence for people: the field, its value and what is allowed.
        param: The field; None = the message as a whole.
        event_id: Of the message, if it has one.
    """

    code: str
    message: str
    param: str | None = None
    event_id: str | None = None


class Refused(ValueError):
    """A message that cannot be acted on.

    Attributes:
        problem: Why.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def refused(code: str, message: str, param: str | None, event_id: object = None) -> Refused:
    """The exception for a message that cannot be acted on; arguments as in `Problem`."""
    return Refused(Problem(code, message, param, event_id if isinstance(event_id, str) else None))


def read_message(text: str) -> Message:
    """Read one text frame.

    Raises:
        Refused: It is none of the messages above.
    """
    decoder = _decoder if len(text) <= MAX_OTHER_CHARACTERS else _append_decoder
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _explain(text, error) from None


def _explain(text: str, error: Exception) -> Refused:
    """Why a frame is no message."""
    try:
        head = _head_decoder.decode(text)
    except msgspec.ValidationError:
        return refused("invalid_value", "the message is no JSON object", None)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as bad_json:
        return refused("invalid_json", f"the message is not JSON: {bad_json}", None)
    kind, event_id = _short(head.type), _short(head.event_id)
    if kind is None:
        return refused("missing_required_parameter", "'type' is missing", "type", event_id)
    if kind not in TYPES:
        allowed = ", ".join(TYPES)
        problem = f"'type' is {show(kind)}; this server transcribes; allowed: {allowed}"
        return refused("invalid_value", problem, "type", event_id)
    if kind == "input_audio_buffer.append":
        problem = "'audio' is missing or not base64"
        return refused("invalid_value", problem, "audio", event_id)
    if len(text) > MAX_OTHER_CHARACTERS:
        problem = f"the message has {len(text)} characters; allowed: {MAX_OTHER_CHARACTERS}"
        return refused("string_above_max_length", problem, None, event_id)
    return refused("invalid_value", f"'session' cannot be read: {error}", "session", event_id)


def _short(raw: msgspec.Raw) -> object:
    """A value of a message; nothing large is built."""
    if len(raw) > MAX_NAME_BYTES:
        return "something too large to show"
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
