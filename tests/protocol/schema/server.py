"""The server's schema: of the wire types, and of what is written for them."""

import json
from collections.abc import Mapping
from typing import get_args

import msgspec
from msgspec import inspect

from streamer.protocol.events import Event, encode_event
from streamer.protocol.requests import Request
from tests.protocol.schema.fields import Field, Fields, Schema, alternatives, field, json_type

Structs = Mapping[str, type[msgspec.Struct]]
"""By type of message, or by object in a message, such as `start.format`."""

OUTPUT = "output"
"""The field whose content is merged into the event."""

INTERNAL = {OUTPUT, "ended_by"}
"""Fields that are not written as such; `ended_by` is for dialects."""


def structs() -> Structs:
    """The wire types of all requests and events, and of the objects in them and in their lists."""
    found: dict[str, type[msgspec.Struct]] = {}
    for message in (*get_args(Request), *get_args(Event)):
        tag = message.__struct_config__.tag
        found[tag] = message
        for name, type_ in _types(message).items():
            for alternative in alternatives(type_):
                of = alternative
                if isinstance(of, inspect.ListType):
                    of = of.item_type
                if isinstance(of, inspect.StructType):
                    found[f"{tag}.{name}"] = of.cls
    return found


def is_event(name: str, types: Structs) -> bool:
    """Whether this is an event, or an object in an event."""
    return types[name.split(".")[0]].__struct_config__.tag_field == "type"


def schema(types: Structs) -> Schema:
    """What the wire types declare, and the fields of events that are added in writing."""
    written = written_schema(types)
    return {name: {**written.get(name, {}), **_declared(struct)} for name, struct in types.items()}


def written_schema(types: Structs) -> Schema:
    """The fields of each event that `encode_event` writes."""
    return {
        name: _written(struct)
        for name, struct in types.items()
        if struct.__struct_config__.tag_field == "type"
    }


def _types(struct: type[msgspec.Struct]) -> dict[str, inspect.Type]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return {each.encode_name: each.type for each in info.fields}


def _required(struct: type[msgspec.Struct]) -> set[str]:
    return {each.encode_name for each in msgspec.structs.fields(struct) if each.required}


def _declared(struct: type[msgspec.Struct]) -> Fields:
    required = _required(struct)
    return {
        name: field(type_, required=name in required)
        for name, type_ in _types(struct).items()
        if name not in INTERNAL
    }


def _written(struct: type[msgspec.Struct]) -> Fields:
    declared = _types(struct)
    always = _encode(struct, _required(struct))
    return {
        name: Field(name in always)
        if name in declared
        else Field(name in always, frozenset({json_type(value)}), frozenset({value}))
        for name, value in _encode(struct, set(declared)).items()
    }


def _encode(struct: type[msgspec.Struct], given: set[str]) -> dict[str, object]:
    """An event with these fields, as it is written; constructors of msgspec check no types."""
    values: dict[str, object] = dict.fromkeys(given, 1)
    if OUTPUT in values:
        values[OUTPUT] = {}
    event = json.loads(encode_event(struct(**values)))  # type: ignore[arg-type]
    del event["type"]
    return event  # type: ignore[no-any-return]
