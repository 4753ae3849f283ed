"""A change of the Python client's schema is found, and its table of events can be relied on."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypedDict

import pytest

from streamer_client import Stream
from streamer_client.events import EVENT_FIELDS, VAD_FIELDS, Event, EventField
from tests.protocol.schema.places import CONNECTION_ARGUMENTS, problems, sources

GIVEN = sources()
TABLES = "the tables of events.py"


@pytest.mark.parametrize(
    ("event", "name"), [(event, name) for event in EVENT_FIELDS for name in EVENT_FIELDS[event]]
)
def test_a_field_that_the_python_client_does_not_have(event: str, name: str) -> None:
    fields = {key: one for key, one in EVENT_FIELDS[event].items() if key != name}
    found = problems(replace(GIVEN, event_fields={**EVENT_FIELDS, event: fields}))
    assert f"{event}: `{name}` is missing in {TABLES}" in found


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (EventField("string"), "is string in {}, and number in the server"),
        (EventField("number", optional=True), "is optional in {}, and required in the server"),
        (EventField("number", nullable=True), "is null or number in {}, and number in the server"),
    ],
)
def test_a_field_that_is_another_one_in_the_python_client(field: EventField, problem: str) -> None:
    fields = {**EVENT_FIELDS["active"], "time": field}
    found = problems(replace(GIVEN, event_fields={**EVENT_FIELDS, "active": fields}))
    assert found == [f"active: `time` {problem.format(TABLES)}"]


def test_a_property_that_no_event_has() -> None:
    found = problems(replace(GIVEN, event_properties=GIVEN.event_properties | {"speed"}))
    assert found == ["`speed` is too much in Event of events.py"]


def without(function: Callable[..., object], name: str) -> Callable[..., object]:
    def changed() -> None: ...

    signature = inspect.signature(function)
    kept = [one for key, one in signature.parameters.items() if key != name]
    changed.__name__ = function.__name__
    changed.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return changed


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (function, name)
        for function in (GIVEN.connect, GIVEN.transcribe)
        for name in inspect.signature(function).parameters.keys() - CONNECTION_ARGUMENTS
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_an_argument_that_the_python_client_does_not_have(
    function: Callable[..., object], name: str
) -> None:
    changed: dict[str, Any] = {function.__name__: without(function, name)}
    found = problems(replace(GIVEN, **changed))
    assert found == [f"start: `{name}` is missing in {function.__name__}() of api.py"]


class Brief(Stream):
    async def stop(self) -> None:
        await self._request({"request": "stop", "now": 1})


class Settings(TypedDict):
    sample_rate: int
    channels: int
    bit_depth: int
    is_float: int


def test_what_the_python_client_sends() -> None:
    found = problems(replace(GIVEN, stream=Brief, format_settings=Settings))
    assert found == [
        "start.format: `encoding` is missing in FormatSettings of formats.py",
        "start.format: `is_float` is number in FormatSettings of formats.py, "
        "and boolean in the server",
        "stop: `disconnect` is missing in Stream of stream.py",
        "stop: `now` is too much in Stream of stream.py",
    ]


def test_the_table_cannot_be_changed() -> None:
    for table in (EVENT_FIELDS, EVENT_FIELDS["active"], VAD_FIELDS):
        with pytest.raises(TypeError):
            table["added"] = None  # type: ignore[index]


@pytest.mark.parametrize("type_", ["interim", "segment"])
def test_the_output_of_the_model_is_what_the_table_does_not_have(type_: str) -> None:
    fields = {"type": type_, **dict.fromkeys(EVENT_FIELDS[type_], 1)}
    assert Event(type_, {**fields, "text": "a", "n": 1}, "").output == {"text": "a", "n": 1}
