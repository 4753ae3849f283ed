"""The schema of `docs/protocol.md`: its tables and its examples of requests."""

import json
import re
from collections.abc import Iterator, Mapping

from tests.protocol.schema.fields import Field, Fields, Schema, json_type

EVENTS = ("type", "fields", "meaning")
START = ("field", "meaning")
ERRORS = ("code", "when", "socket")
WARNINGS = ("warning", "meaning", "sent at most")
"""The heads of the tables."""

OCCASIONAL = " also "
"""After this word in a list of fields, the fields are optional."""


def events(page: str) -> Schema:
    """Of the table of events."""
    return {
        name: _event(fields)
        for names, fields, _ in table(page, EVENTS)
        for name in code_spans(names)
    }


def _event(cell: str) -> Fields:
    always, _, sometimes = cell.partition(OCCASIONAL)
    return {
        name: field
        for text, required in ((always, True), (sometimes, False))
        for span in code_spans(text)
        for name, field in [_event_field(span, required=required)]
    }


def _event_field(span: str, *, required: bool) -> tuple[str, Field]:
    """Of `name`, or of `name: value`, which is its only value."""
    name, colon, value = span.partition(": ")
    if not colon:
        return name, Field(required)
    only = json.loads(value)
    return name, Field(required, frozenset({json_type(only)}), frozenset({only}))


def requests(page: str) -> Schema:
    """Of the table of the fields of `start`, and of the examples of the other requests."""
    found: dict[str, dict[str, Field]] = {"start": {}}
    for names, meaning in table(page, START):
        required = meaning.startswith("required")
        for span in code_spans(names):
            path = span.split(".")
            message = ".".join(["start", *path[:-1]])
            found.setdefault(message, {})[path[-1]] = Field(required)
    for name, fields in found.items():
        if name != "start":
            required = any(field.required for field in fields.values())
            found["start"][name.removeprefix("start.")] = Field(required, frozenset({"object"}))
    for example in _examples(page):
        if (request := example.pop("request", "start")) != "start":
            found[str(request)] = _example(example)
            for name, value in example.items():
                if isinstance(value, dict):
                    found[f"{request}.{name}"] = _example(value)
    return found


def _example(values: Mapping[str, object]) -> dict[str, Field]:
    return {name: Field(types=frozenset({json_type(value)})) for name, value in values.items()}


def error_codes(page: str) -> set[str]:
    """Of the table of errors."""
    return {code for codes, _, _ in table(page, ERRORS) for code in code_spans(codes)}


def warning_codes(page: str) -> set[str]:
    """Of the table of warnings."""
    return {code for codes, _, _ in table(page, WARNINGS) for code in code_spans(codes)}


def code_spans(text: str) -> list[str]:
    """The texts between back quotes."""
    return re.findall(r"`([^`]+)`", text)


def table(page: str, head: tuple[str, ...]) -> list[list[str]]:
    """The rows of the only table with this head."""
    (rows,) = (rows for rows in _tables(page) if tuple(rows[0]) == head)
    return rows[2:]


def _tables(page: str) -> Iterator[list[list[str]]]:
    for block in re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE):
        lines = block.splitlines()
        yield [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _examples(page: str) -> Iterator[dict[str, object]]:
    decoder = json.JSONDecoder()
    for block in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        rest = block.strip()
        while rest:
            example, end = decoder.raw_decode(rest)
            yield example
            rest = rest[end:].strip()
