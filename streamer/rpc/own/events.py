"""Events as messages of the schema. Pure."""

from typing import Any

import msgspec
from google.protobuf.message import Message

from streamer.protocol.events import Event, Interim, Segment
from streamer.rpc.descriptors import message_class

_RESPONSE = message_class("streamer.v1.StreamResponse")
_WORD = message_class("streamer.v1.Word")

_ENVELOPE = frozenset({"type", "start_time", "end_time", "is_final", "channel", "flushed", "eager"})
"""Fields of a `segment` or an `interim` on the WebSocket that a model's output cannot replace."""


def write_event(event: Event) -> bytes:
    """The `StreamResponse` of an event."""
    if isinstance(event, Segment | Interim):
        return _result(event)
    tree = msgspec.to_builtins(event)
    kind = tree.pop("type")
    fields = {name: value for name, value in tree.items() if value is not None}
    message: bytes = _RESPONSE(**{kind: fields}).SerializeToString()
    return message


def _result(event: Segment | Interim) -> bytes:
    response = _RESPONSE()
    final = isinstance(event, Segment)
    result = response.segment if final else response.interim
    result.start_time = event.start_time
    result.end_time = event.end_time
    result.channel = event.channel
    rest = {name: value for name, value in event.output.items() if name not in _ENVELOPE}
    if isinstance(rest.get("text"), str):
        result.text = rest.pop("text")
    if isinstance(rest.get("confidence"), float):
        result.confidence = rest.pop("confidence")
    if isinstance(event, Segment):
        result.flushed = event.flushed
    else:
        result.eager = event.eager
    has_words = isinstance(event, Segment) or event.eager
    if has_words and isinstance(words := rest.get("words"), list):
        del rest["words"]
        result.words.extend(map(_word, words))
    result.output.update(rest)
    message: bytes = response.SerializeToString()
    return message


def _word(word: dict[str, Any]) -> Message:
    return _WORD(**{name: value for name, value in word.items() if value is not None})
