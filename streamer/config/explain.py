"""Describe what is wrong with a JSON value: the field, the value and what is allowed.

The configuration and clients' messages both use it, so their errors read the same.
"""

import difflib
import functools
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import inspect

LONGEST_VALUE_SHOWN = 60

MOST_PLACES = 3
"""Places of a field that are named to a person who wrote it in another one."""

ALLOWED = "allowed"
"""Key in a type's `Meta(extra=…)`: what is allowed, in words, where a pattern would say nothing."""

# The name comes from the client and may hold anything; the path after it comes from msgspec.
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$([^`]*)`)?", re.DOTALL)


class Problem(NamedTuple):
    """One field that was refused: its dotted path ("" is the whole) and a sentence about it."""

    field: str
    message: str


def explain(
    error: msgspec.ValidationError, tree: object, expected: type, of_the_server: type | None = None
) -> Problem:
    """Turn msgspec's `Expected … - at `$.vad.threshold`` into a `Problem`.

    Args:
        error: What `msgspec.convert(tree, expected)` raised.
        tree: The value that was refused, as parsed from JSON.
        expected: The struct it should have been.
        of_the_server: The struct with the settings of the whole server, for a value that has those
            of a stream.
    """
    if unknown := _UNKNOWN.fullmatch(str(error)):
        field = (unknown[2] or "").lstrip(".")
        name = f"{field}.{unknown[1]}" if field else unknown[1]
        known = fields_of(field, expected)
        places = places_of(unknown[1], expected)
        server = places_of(unknown[1], of_the_server) if of_the_server and not places else []
        if server:
            subject = "it" if name in server else " and ".join(f"'{one}'" for one in server)
            what = "is a setting" if len(server) == 1 or name in server else "are settings"
            instead = f"{subject} {what} of the whole server, and not of a stream"
            text = f"unknown field '{show_name(name)}'; {instead}; allowed: {', '.join(known)}"
            return Problem(name, text)
        meant = places or (
            difflib.get_close_matches(unknown[1][:LONGEST_VALUE_SHOWN].lower(), known, n=1)
        )
        quoted = " or ".join(f"'{one}'" for one in meant)
        hint = f"; did you mean {quoted}?" if quoted else ""
        message = f"unknown field '{show_name(name)}'; allowed: {', '.join(known)}{hint}"
        return Problem(name, message)
    reason, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if missing := re.search(r"missing required field `(.*)`", reason):
        name = ".".join(filter(None, [field, missing[1]]))
        return Problem(name, f"'{name}' is missing; it is required")
    value = tree
    for name in _names(field):
        value = _item(value, name)
    shown = show(value)
    if isinstance(value, list) and len(value) > 1 and shown.endswith("…"):
        shown += f" ({len(value)} items)"
    subject = f"'{field}' is {shown}" if field else f"got {shown}"
    kind = _type_at(field, expected)
    return Problem(field, f"{subject}; allowed: {_allowed(kind)}{_other_case(value, kind)}")


def lone_surrogate(tree: object) -> Problem | None:
    """The first text, in a value parsed from JSON, that UTF-8 cannot encode; None without one.

    `json` of Python reads an escaped half of a pair of UTF-16 as text. msgspec raises no
    `ValidationError` for it, and no message can hold it.
    """
    for field, text in _texts(tree):
        try:
            text.encode()
        except UnicodeEncodeError:
            message = f"'{field}' is {show(text)}; allowed: text without lone surrogates"
            return Problem(field, message)
    return None


def _texts(tree: object) -> Iterator[tuple[str, str]]:
    """The dotted path of each text within a value; a name counts as a text of its object."""
    waiting: list[tuple[str, object]] = [("", tree)]  # no recursion: it may be nested deep
    while waiting:
        field, value = waiting.pop()
        match value:
            case str():
                yield field, value
            case list():
                waiting += [(f"{field}[{n}]", item) for n, item in enumerate(value)][::-1]
            case dict():
                yield from ((field, name) for name in value)
                prefix = f"{field}." if field else ""
                waiting += [(prefix + show_name(n), item) for n, item in value.items()][::-1]


def fields_of(field: str, root: type) -> list[str]:
    """The names that may stand below a dotted path ("" is the whole) of a struct."""
    return _fields(_type_at(field, root))


def allowed(field: str, root: type) -> str:
    """What may stand at a dotted path of a struct, in the words of error messages."""
    return _allowed(_type_at(field, root))


def places_of(name: str, root: type) -> list[str]:
    """The dotted paths of the fields of a name, below a struct; at most `MOST_PLACES`."""
    return list(_places(name, _type_info(root)))[:MOST_PLACES]


def show(value: object) -> str:
    """A short JSON rendering; control characters are escaped, so it cannot forge a log line."""
    if isinstance(value, str):
        value = value[: LONGEST_VALUE_SHOWN + 1]
    try:
        text = json.dumps(value, default=str)
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits
        return "something too large to show"
    return text if len(text) <= LONGEST_VALUE_SHOWN else text[: LONGEST_VALUE_SHOWN - 1] + "…"


def show_name(name: str) -> str:
    """A field name from outside, made printable and short."""
    return show(name)[1:-1]


def _type_at(field: str, root: type) -> inspect.Type:
    found = _type_info(root)
    for name in _names(field):
        found = found.type if isinstance(found, inspect.Metadata) else found
        if isinstance(found, inspect.UnionType) and name.isdecimal():
            found = next((one for one in found.types if isinstance(one, inspect.ListType)), found)
        if isinstance(found, inspect.VarTupleType | inspect.ListType) and name.isdecimal():
            found = found.item_type
            continue
        if isinstance(found, inspect.TupleType) and name.isdecimal():
            found = found.item_types[int(name)]
            continue
        struct = _struct(found)
        fields = {f.encode_name: f.type for f in struct.fields} if struct else {}
        if name not in fields:
            break
        found = fields[name]
    return found


_type_info = functools.cache(inspect.type_info)


def _names(field: str) -> list[str]:
    """`models[1].type` is "models", "1", "type"."""
    return re.findall(r"[^.\[\]]+", field)


def _item(value: object, name: str) -> object:
    if isinstance(value, dict):
        return value.get(name)
    return value[int(name)] if isinstance(value, list) and name.isdecimal() else value


def _struct(kind: inspect.Type) -> inspect.StructType | None:
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return next((option for option in options if isinstance(option, inspect.StructType)), None)


def _fields(kind: inspect.Type) -> list[str]:
    struct = _struct(kind)
    if struct is None:
        return []
    tag = [str(struct.tag_field)] if struct.tag_field else []
    return tag + sorted(field.encode_name for field in struct.fields)


def _places(name: str, kind: inspect.Type, path: str = "") -> Iterator[str]:
    """The dotted paths of the fields of this name, below a struct."""
    struct = _struct(kind.type if isinstance(kind, inspect.Metadata) else kind)
    for field in struct.fields if struct else ():
        if field.encode_name == name:
            yield f"{path}{name}"
        yield from _places(name, field.type, f"{path}{field.encode_name}.")


def _other_case(value: object, kind: inspect.Type) -> str:
    """The allowed word that differs from a text in its capitals only, to follow a message."""
    kind = kind.type if isinstance(kind, inspect.Metadata) else kind
    words = kind.values if isinstance(kind, inspect.LiteralType) else ()
    meant = isinstance(value, str) and value not in words and value.lower() in words
    return f"; did you mean {show(str(value).lower())}?" if meant else ""


def _allowed(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(extra={"allowed": str(words)}):
            return words
        case inspect.UnionType(types=types):
            named = [t for t in types if not isinstance(t, inspect.NoneType)]
            return " or ".join(_allowed(t) for t in named)
        case inspect.IntType() | inspect.FloatType():
            noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            return " ".join([noun, *_bounds(kind)])
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case inspect.StrType(pattern=str(pattern)):
            return f"text that matches {pattern}"
        case inspect.StrType(min_length=int(shortest), max_length=int(longest)):
            return f"text of {shortest} to {longest} characters"
        case inspect.StrType(max_length=longest):
            return "text" if longest is None else f"text of at most {longest} characters"
        case inspect.BoolType():
            return "true or false"
        case inspect.NoneType():
            return "null"
        case inspect.StructType():
            return "an object with " + ", ".join(_fields(kind))
        case inspect.DictType():
            return "an object"
        case (
            inspect.ListType(max_length=int(longest))
            | inspect.VarTupleType(max_length=int(longest))
        ):
            return f"a list of at most {longest} items"
        case inspect.VarTupleType(item_type=inspect.LiteralType(values=values), min_length=least):
            few = f"at least {least} of " if least else ""
            return f"a list of {few}{', '.join(map(str, values))}"
        case inspect.VarTupleType(min_length=int(shortest)):
            return f"a list of at least {shortest}"
        case inspect.TupleType(item_types=items):
            return f"a list of {len(items)}"
        case _:
            return "a list"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> list[str]:
    if kind.ge is not None and kind.le is not None:
        return [f"from {kind.ge} to {kind.le}"]
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    bounds = [
        f"{word} {getattr(kind, name)}"
        for name, word in words.items()
        if getattr(kind, name) is not None
    ]
    return [" and ".join(bounds)] if bounds else []
