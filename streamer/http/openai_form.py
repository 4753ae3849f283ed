"""Reads the fields of OpenAI's audio forms, in the different ways in which programs write them.

https://platform.openai.com/docs/api-reference/audio. A form has text only, so that an absent value
may come as an empty field, a list as repeated fields, and an object in brackets or as JSON.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from streamer.config.explain import Problem, explain, lone_surrogate, show_name
from streamer.config.segmentation import VadConfig
from streamer.http.openai_extras import IgnoredField, ignore
from streamer.http.openai_fields import ChunkingStrategy, Form, Temperature
from streamer.http.refusals import Refused
from streamer.protocol.requests import VadOptions

ABSENT = frozenset({"", "null", "undefined", "none"})
"""Values of a field that has none: empty, or as JavaScript and Python write an absent value."""

YES = frozenset({"true", "t", "yes", "y", "on", "1"})
NO = frozenset({"false", "f", "no", "n", "off", "0"})
"""What programs and their users write for true and false."""

LISTS = ("timestamp_granularities", "include", "keyterms", "languages")

OBJECTS = ("chunking_strategy",)

PROMPT = "prompt"

ALIASES = {
    "vad": "vad_filter",
    "align": "word_timestamps",
    "context_bias": PROMPT,
    "hotwords": PROMPT,
    "initial_prompt": PROMPT,
    "keywords": PROMPT,
}
"""Other servers' names for fields of this one."""

SWITCHES = frozenset(field.name for field in msgspec.structs.fields(Form) if field.type is bool)
"""Fields that are true or false."""


class ReadForm(NamedTuple):
    """A form that has been read.

    Attributes:
        form: The fields of this server.
        ignored: Other fields, for which the client gets a warning.
    """

    form: Form
    ignored: list[IgnoredField]


def is_field(written: str) -> bool:
    """Whether a part of this name is one of the fields of text."""
    return _split(written)[0] in Form.__struct_fields__


def read_fields(items: Iterable[tuple[str, str]]) -> ReadForm:
    """Read names and values as they came.

    Raises:
        Refused: One is given twice, of the wrong type, out of range, or cannot be ignored.
    """
    tree: dict[str, object] = {}
    temperatures: list[object] = []
    prompts: list[str] = []
    written_as: dict[str, str] = {}
    """How the client wrote each field, for messages."""
    extras: list[tuple[str, str, str]] = []
    for written, value in items:
        if value.strip().lower() in ABSENT:
            continue
        name, keys = _split(written)
        if name not in Form.__struct_fields__ or (keys and name not in OBJECTS):
            extras.append((name, written, value))
            continue
        path = f"{name}.{keys[0]}" if name in OBJECTS and keys else name
        again = path in written_as
        written_as.setdefault(path, written)
        if name in LISTS:
            before = tree.setdefault(name, [])
            assert isinstance(before, list)
            before += _items(value)
        elif name == "temperature":
            temperatures += _items(value)
        elif name == PROMPT:
            prompts += _prompts(value)
        elif name in OBJECTS and keys:
            members = tree.setdefault(name, {})
            if again or not isinstance(members, dict):
                raise _twice(written)
            if keys[0] not in ChunkingStrategy.__struct_fields__:
                extras.append((path, written, value))
            members[keys[0]] = value
        elif name in tree:
            raise _twice(written)
        else:
            tree[name] = _value(name, value)
    if temperatures:
        tree["temperature"] = _first_temperature(temperatures)
    if prompts:
        tree[PROMPT] = "\n".join(prompts)
    if problem := lone_surrogate(tree):
        raise _refused(problem, written_as)
    try:
        form = msgspec.convert(tree, Form, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(explain(error, tree, Form), written_as) from None
    return ReadForm(form, ignore(extras, Form.__struct_fields__))


def vad_options(form: Form, configured: VadConfig) -> VadOptions:
    """The settings of the segmentation that a form asks for.

    Raises:
        Refused: They do not go with the configured ones.
    """
    if form.chunking_strategy is None:
        return VadOptions()
    options = form.chunking_strategy.options()
    merged = options.over(configured)
    if merged.problem():
        name = "chunking_strategy[prefix_padding_ms]"
        longest = merged.max_segment_ms * 2 // 3 - merged.min_speech_ms
        message = f"'{name}' is {merged.prefix_padding_ms}; allowed on this server: up to {longest}"
        raise Refused(400, "bad_request", message, field=name)
    return options


def _refused(problem: Problem, written_as: Mapping[str, str]) -> Refused:
    """A refusal that names the field as the client wrote it."""
    path, bracket, rest = problem.field.partition("[")
    shown = show_name(written_as.get(path, path))
    exact = f"{shown.removesuffix('[]')}{bracket}{rest}"
    message = problem.message.replace(f"'{problem.field}'", f"'{exact}'", 1)
    return Refused(400, "bad_request", message, field=shown)


def _twice(written: str) -> Refused:
    shown = show_name(written)
    return Refused(400, "bad_request", f"'{shown}' is given more than once", field=shown)


def _split(written: str) -> tuple[str, list[str]]:
    """`a[b]`, `a.b`, `a[]` and `a[0]` are `a` and what follows it; items of lists have no name."""
    name, rest = re.match(r"([^\[.]*)(.*)", written.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
    keys = [key for key in re.split(r"[\[\].]+", rest) if key and not key.isdecimal()]
    name = name.lower()
    return ALIASES.get(name, name), keys


def _items(value: str) -> list[object]:
    """The items in one field of a list: one, some with commas between them, or JSON."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = [item.strip() for item in value.split(",")]
    return found if isinstance(found, list) else [value]


def _prompts(value: str) -> list[str]:
    """The texts in one field: one as it is, or those of a JSON list, without its nulls."""
    if not value.lstrip().startswith("["):
        return [value]
    items = [item for item in _items(value) if item is not None]
    texts = [item for item in items if isinstance(item, str)]
    return texts if len(texts) == len(items) else [value]  # brackets that are part of a text


def _value(name: str, value: str) -> object:
    """The value of a field that is no list."""
    if name in OBJECTS:
        return _object(value)
    if name in SWITCHES:
        word = value.strip().lower()
        return True if word in YES else False if word in NO else value
    return value


def _first_temperature(given: list[object]) -> object:
    """The one to begin with, of those that Whisper's decoder tries in turn; or the first wrong."""
    for temperature in given:
        try:
            msgspec.convert(temperature, Temperature, strict=False)
        except (msgspec.ValidationError, UnicodeEncodeError):
            return temperature
    return given[0]


def _object(value: str) -> object:
    """An object in one field: JSON, or its type alone."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = value
    return {"type": found} if isinstance(found, str) else found
