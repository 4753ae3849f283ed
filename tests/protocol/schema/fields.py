"""What a place says about the fields of each message, and how two places differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec import inspect


@dataclass(frozen=True)
class Field:
    """One field of a message; None = the place does not say.

    Attributes:
        required: It is in every message of the type.
        types: Types of its value in JSON: `string`, `number`, `boolean`, `object`, `array`, `null`.
        values: The only values it can have.
    """

    required: bool | None = None
    types: frozenset[str] | None = None
    values: frozenset[object] | None = None


Fields = Mapping[str, Field]
Schema = Mapping[str, Fields]
"""By type of message, such as `segment`, or by object in a message, such as `start.format`."""


def differences(expected: Schema, found: Schema, place: str) -> list[str]:
    """One sentence for each difference; `expected` is the server's."""
    problems = name_differences("", expected, found, place)
    for message in sorted(expected.keys() & found.keys()):
        ours, theirs = expected[message], found[message]
        problems += name_differences(f"{message}: ", ours, theirs, place)
        for name in sorted(ours.keys() & theirs.keys()):
            problems += _differing(f"{message}: `{name}`", ours[name], theirs[name], place)
    return problems


def name_differences(
    of: str, expected: Iterable[str], found: Iterable[str], place: str
) -> list[str]:
    """One sentence for each name that is in one of both only; `of` begins the sentence."""
    missing, excess = set(expected) - set(found), set(found) - set(expected)
    return [f"{of}`{name}` is missing in {place}" for name in sorted(missing)] + [
        f"{of}`{name}` is too much in {place}" for name in sorted(excess)
    ]


def _differing(what: str, expected: Field, found: Field, place: str) -> list[str]:
    problems = []
    if None not in (expected.required, found.required) and expected.required != found.required:
        ours, theirs = ("required", "optional") if expected.required else ("optional", "required")
        problems.append(f"{what} is {theirs} in {place}, and {ours} in the server")
    if expected.types is not None and found.types is not None:
        # Null in an optional field means that it is absent; a place need not mention that.
        ignored = set() if expected.required else {"null"}
        types, wanted = found.types - ignored, expected.types - ignored
        if types != wanted:
            problems.append(f"{what} is {_any(types)} in {place}, and {_any(wanted)} in the server")
    if expected.values is not None and found.values is not None and expected.values != found.values:
        allowed = _any(expected.values)
        problems.append(f"{what} is {_any(found.values)} in {place}, and {allowed} in the server")
    return problems


def _any(values: Iterable[object]) -> str:
    return " or ".join(sorted(map(str, values)))


def json_type(value: object) -> str:
    """The type of a value in JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case dict():
            return "object"
        case list():
            return "array"
    raise TypeError(f"no message has a field like {value!r}")


def alternatives(type_: inspect.Type) -> tuple[inspect.Type, ...]:
    """The members of a union, or the type itself."""
    return type_.types if isinstance(type_, inspect.UnionType) else (type_,)


def field(type_: inspect.Type, *, required: bool | None) -> Field:
    """A field with a type of Python."""
    types: set[str] = set()
    values: set[object] | None = set()
    for alternative in alternatives(type_):
        match alternative:
            case inspect.LiteralType():
                types |= set(map(json_type, alternative.values))
                values = None if values is None else values | set(alternative.values)
            case inspect.NoneType():
                types.add("null")
            case _:
                types.add(_TYPES[type(alternative)])
                values = None
    return Field(required, frozenset(types), None if not values else frozenset(values))


_TYPES: Mapping[type[inspect.Type], str] = {
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.StructType: "object",
    inspect.DictType: "object",
    inspect.ListType: "array",
    inspect.VarTupleType: "array",
}
