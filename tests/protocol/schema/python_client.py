"""The schema of the Python client: its table of events, its arguments, and what it sends."""

import asyncio
import inspect as functions
import json
from collections.abc import Callable, Mapping
from typing import Any, cast, get_type_hints

from msgspec import inspect
from websockets.asyncio.client import ClientConnection

from streamer_client.events import EventField
from streamer_client.stream import Stream
from tests.protocol.schema.fields import Field, Fields, Schema, field, json_type


def events(
    event_fields: Mapping[str, Mapping[str, EventField]],
    vad_fields: Mapping[str, EventField],
    seconds_fields: Mapping[str, EventField],
) -> Schema:
    """Of `EVENT_FIELDS`, `VAD_FIELDS` and `SECONDS_FIELDS`."""
    objects = {
        "started.vad": vad_fields,
        "configured.vad": vad_fields,
        "stopped.seconds": seconds_fields,
    }
    return {
        name: {key: _field(one) for key, one in fields.items()}
        for name, fields in {**event_fields, **objects}.items()
    }


def _field(one: EventField) -> Field:
    types = {one.json_type, "null"} if one.nullable else {one.json_type}
    return Field(not one.optional, frozenset(types))


def properties(type_: type) -> set[str]:
    """The names of the properties of a class."""
    return {name for name, value in vars(type_).items() if isinstance(value, property)}


def arguments(function: Callable[..., object], own: frozenset[str]) -> Fields:
    """The fields that can be given to a function; `own` are its other arguments."""
    return {
        name: field(inspect.type_info(parameter.annotation), required=None)
        for name, parameter in functions.signature(function).parameters.items()
        if name not in own
    }


def typed_dict(type_: type) -> Fields:
    """The keys of a `TypedDict`."""
    return {
        name: field(inspect.type_info(hint), required=None)
        for name, hint in get_type_hints(type_).items()
    }


def sent_requests(stream_type: type[Stream]) -> Schema:
    """Of what the methods of a `Stream` send."""
    connection = _Recorder()
    asyncio.run(_send_all(stream_type(cast(ClientConnection, connection), bytes_per_second=1)))
    return {
        request.pop("request"): {name: _sent(value) for name, value in request.items()}
        for request in connection.sent
    }


async def _send_all(stream: Stream) -> None:
    await stream.flush()
    await stream.configure(
        interim_results=True, vad={}, model="name", words=True, keyterms=["term"], eager=True
    )
    await stream.keep_alive()
    await stream.stop()


def _sent(value: object) -> Field:
    return Field(types=frozenset({json_type(value)}))


class _Recorder:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send(self, text: str) -> None:
        self.sent.append(json.loads(text))
