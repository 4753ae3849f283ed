"""`docs/python.md` has the signatures, events and errors of the Python client."""

import ast
import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pytest

import streamer_client
from streamer_client.events import EVENT_FIELDS, Event, Word
from streamer_client.stream import Stream

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/python.md").read_text()
SOURCES = ROOT / "client/streamer_client"
INTERNAL = {"start"}
"""Of a stream; `connect` calls it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(code: str) -> dict[str, str]:
    """The public functions and methods, with their arguments and what they return."""
    tree = ast.parse(code)
    return {
        node.name: f"{type(node).__name__} ({ast.unparse(node.args)}) -> {returned(node)}"
        for outer in [tree, *tree.body]
        if isinstance(outer, ast.Module | ast.ClassDef)
        for node in outer.body
        if isinstance(node, Function) and not node.name.startswith("_")
    }


def returned(node: Function) -> str:
    return ast.unparse(node.returns) if node.returns else ""


def shown() -> dict[str, str]:
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return {k: v for block in blocks if " def " in f" {block}" for k, v in functions(block).items()}


def test_the_signatures_are_those_of_the_code() -> None:
    api = (SOURCES / "api.py").read_text()
    stream = inspect.getsource(Stream)
    written = {**functions(api), **functions(stream)}
    default = repr(streamer_client.api.DEFAULT_URL)
    expected = {
        name: text.replace("DEFAULT_URL", default).replace("'Buffer'", "Buffer")
        for name, text in written.items()
        if name not in INTERNAL
    }
    assert shown() == expected


def test_every_argument_is_explained() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \| ", PAGE.split("## Events")[0], re.MULTILINE))
    arguments = {
        name
        for function in (streamer_client.connect, streamer_client.transcribe)
        for name in inspect.signature(function).parameters
    }
    assert rows == arguments


def test_every_property_of_an_event_is_listed_with_its_type() -> None:
    (table,) = re.findall(r"^\| property \| type .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", table, re.MULTILINE))
    source = ast.parse(inspect.getsource(Event)).body[0]
    assert isinstance(source, ast.ClassDef)
    expected = {
        node.target.id: ast.unparse(node.annotation)
        for node in source.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    } | {
        node.name: returned(node)
        for node in source.body
        if isinstance(node, ast.FunctionDef)
        and [ast.unparse(d) for d in node.decorator_list] == ["property"]
    }
    assert {name: kind.replace("\\|", "|") for name, kind in rows.items()} == expected
    for name, kind in get_type_hints(Word).items():
        assert f"{name}: {kind.__name__}" in PAGE


def test_every_type_of_event_has_its_fields() -> None:
    (table,) = re.findall(r"^\| type \| fields \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    listed: dict[str, list[str]] = {}
    for types, fields in re.findall(r"^\| (`.*?) \| (.*?) \|$", table, re.MULTILINE):
        for kind in re.findall(r"`(\w+)`", types):
            listed[kind] = re.findall(r"`(\w+)`", fields)
    assert {kind: set(names) for kind, names in listed.items()} == {
        kind: set(fields) for kind, fields in EVENT_FIELDS.items()
    }


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in streamer_client.__all__
        if isinstance(value := getattr(streamer_client, name), type)
        and issubclass(value, Exception)
    ],
)
def test_every_error_is_listed_with_its_attributes(name: str) -> None:
    if name == "StreamerError":
        assert "Every error of a stream is a `StreamerError`" in PAGE
        return
    (row,) = re.findall(rf"^\| `{name}` \| .*$", PAGE, re.MULTILINE)
    init = vars(getattr(streamer_client, name)).get("__init__")
    attributes = set(inspect.signature(init).parameters) - {"self"} if init else set()
    missing = {a for a in attributes if f"`{a}`" not in row}
    assert missing <= {"message"}
