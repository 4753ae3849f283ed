"""The schema of the JavaScript client: its declarations, its options, and what it sends."""

import json
import re
from collections.abc import Iterator

from tests.protocol.schema.fields import Field, Fields, Schema, json_type
from tests.protocol.schema.syntax import (
    Declarations,
    Member,
    Members,
    declarations,
    enclosed,
    object_keys,
    object_members,
    split,
)

OWN_EVENTS = frozenset({"lost", "connection", "container_needed"})
"""Events that the client itself makes."""

OUTPUT_FIELDS = frozenset({"text", "confidence", "words"})
"""Fields that a model adds to the events of `WITH_OUTPUT`, and that the client declares."""

WITH_OUTPUT = frozenset({"interim", "segment"})

OWN_WARNINGS = frozenset({"no_answer"})
"""Codes of warnings that the client itself makes."""

OWN_WAITS = frozenset({"connectTimeoutMs", "startTimeoutMs", "stopTimeoutMs"})

OWN_OPTIONS = OWN_WAITS | {"reconnect", "maxBufferedSeconds", "WebSocket"}
"""Options of the client that have no field in `start`."""

RENAMED_OPTIONS = {"traceparent": "trace_id"}
"""Options that have another name in `start`."""

OBJECTS = {
    "start.format": "AudioFormat",
    "start.vad": "VadOptions",
    "configure.vad": "VadOptions",
}
"""The declarations of the objects in requests."""


def events(messages_js: str) -> Schema:
    """Of the members of `ClientEvent`."""
    types = declarations(messages_js)
    union = types.get("ClientEvent")
    names = split(union, "|") if isinstance(union, str) else []
    found: dict[str, Fields] = {}
    for members in (_members(name, types) for name in names):
        if members is None or "type" not in members:
            continue
        event = members["type"].type.strip("'\"")
        if event in OWN_EVENTS:
            continue
        ignored = {"type", *(OUTPUT_FIELDS if event in WITH_OUTPUT else ())}
        found[event] = _fields(members, types, ignored)
        for name, member in members.items():
            if name in ignored:
                continue
            for alternative in split(member.type, "|"):
                if inner := _members(alternative.removesuffix("[]"), types):
                    found[f"{event}.{name}"] = _fields(inner, types, set())
    return found


def objects(messages_js: str) -> Schema:
    """Of the declared objects in requests."""
    types = declarations(messages_js)
    return {
        name: _fields(members, types, set())
        for name, declared in OBJECTS.items()
        if (members := _members(declared, types)) is not None
    }


def options(options_js: str, messages_js: str) -> Schema:
    """Of the options that are sent in `start`."""
    types = {**declarations(messages_js), **declarations(options_js)}
    members = _members("ClientOptions", types) or {}
    return {
        "start": {
            RENAMED_OPTIONS.get(name) or _snake_case(name): field
            for name, field in _fields(members, types, set(OWN_OPTIONS)).items()
        }
    }


def sent_requests(modules_js: str) -> Schema:
    """Of the object literals that are passed to `sendRequest`."""
    found: dict[str, Fields] = {}
    for call in re.finditer(r"sendRequest\((?=\{)", modules_js):
        values = object_keys(enclosed(modules_js, call.end()))
        request = values.pop("request").strip("'\"")
        found[request] = {name: Field() for name in values}
    return found


def _members(type_: str, types: Declarations) -> Members | None:
    """The members of an object, or of a declared object; None = another type."""
    declared = types.get(type_, type_)
    return object_members(declared) if isinstance(declared, str) else declared


def _fields(members: Members, types: Declarations, ignored: set[str]) -> Fields:
    return {name: _field(member, types) for name, member in members.items() if name not in ignored}


def _field(member: Member, types: Declarations) -> Field:
    found: set[str] = set()
    values: set[object] | None = set()
    for alternative in _alternatives(member.type, types):
        if (literal := _literal(alternative)) is not None:
            found.add(json_type(literal))
            values = None if values is None else values | {literal}
        elif alternative == "null":
            found.add("null")
        else:
            found.add(_name(alternative, types))
            values = None
    return Field(not member.optional, frozenset(found), frozenset(values) if values else None)


def _alternatives(type_: str, types: Declarations) -> Iterator[str]:
    for alternative in split(type_, "|"):
        declared = types.get(alternative)
        if isinstance(declared, str):
            yield from _alternatives(declared, types)
        elif not alternative.startswith("("):  # a function that returns another alternative
            yield alternative


def _literal(type_: str) -> str | float | bool | None:
    if re.fullmatch(r"'[^']*'|\"[^\"]*\"", type_):
        return type_[1:-1]
    if re.fullmatch(r"true|false|-?[\d.]+", type_):
        value: float | bool = json.loads(type_)
        return value
    return None


def _name(type_: str, types: Declarations) -> str:
    if type_ in ("string", "number", "boolean"):
        return type_
    if type_.endswith("[]"):
        return "array"
    if type_ == "object" or type_.startswith("Record<") or _members(type_, types) is not None:
        return "object"
    raise ValueError(f"no message has a field of this type: {type_}")


def _snake_case(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
