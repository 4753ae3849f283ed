"""The schema: its descriptor set is current, and it has all that the WebSocket protocol has."""

from typing import get_args

import msgspec
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import Default

from streamer.audio.format import AudioFormat
from streamer.protocol.events import Active, ChannelSeconds, Event, VadInForce
from streamer.protocol.requests import (
    Configure,
    Flush,
    KeepAlive,
    Request,
    Start,
    Stop,
    VadOptions,
)
from streamer.rpc.catalogue import ALL
from streamer.rpc.descriptors import DESCRIPTOR_SET, message_class, new_pool
from streamer.rpc.own.events import write_event
from tools.rpc_schema import compiled

REQUESTS = (
    Start,
    Configure,
    Flush,
    KeepAlive,
    Stop,
    VadOptions,
    AudioFormat,
)
EVENTS = (*get_args(Event), VadInForce, ChannelSeconds)
NAMES = {"WarningEvent": "Warning", "ErrorEvent": "Error"}
ELSEWHERE = {"Start": {"token"}, "Segment": {"ended_by"}}
"""A token is in the metadata; what has ended a segment is for dialects."""
ADDED = {name: {"text", "confidence", "words"} for name in ("Segment", "Interim")}
"""Of the model's output."""


def fields_of(name: str) -> set[str]:
    return {field.name for field in message_class(f"streamer.v1.{name}").DESCRIPTOR.fields}


def test_the_descriptor_set_is_that_of_the_files() -> None:
    now, then = (FileDescriptorSet.FromString(s) for s in (compiled(), DESCRIPTOR_SET.read_bytes()))
    assert now == then, "make rpc-schema"


@pytest.mark.parametrize("struct", [*REQUESTS, *EVENTS], ids=lambda struct: struct.__name__)
def test_a_message_has_the_fields_of_the_websocket(struct: type[msgspec.Struct]) -> None:
    name = NAMES.get(struct.__name__, struct.__name__)
    wanted = {field.encode_name for field in msgspec.structs.fields(struct)}
    assert fields_of(name) == (wanted - ELSEWHERE.get(name, set())) | ADDED.get(name, set())


def test_every_request_and_every_event_has_its_place() -> None:
    requests = {str(struct.__struct_config__.tag) for struct in get_args(Request)}
    events = {str(struct.__struct_config__.tag) for struct in get_args(Event)}
    assert fields_of("StreamRequest") == requests | {"audio"}
    assert fields_of("StreamResponse") == events


@pytest.mark.parametrize("service", ALL, ids=lambda service: service.name)
def test_a_service_is_that_of_its_schema(service: object) -> None:
    described = new_pool().FindServiceByName(service.name)  # type: ignore[attr-defined]
    assert service.methods.keys() <= set(described.methods_by_name)  # type: ignore[attr-defined]


def test_the_messages_are_in_a_pool_of_their_own() -> None:
    write_event(Active(time=0, channel=0))
    with pytest.raises(KeyError):
        Default().FindMessageTypeByName("streamer.v1.StreamRequest")
