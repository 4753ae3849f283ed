"""What a request asks for, in its query or its form: text, read into typed structs."""

import functools
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import inspect

from streamer.config.explain import explain, show_name
from streamer.config.numbers import with_whole_numbers
from streamer.http.refusals import Refused

T = TypeVar("T", bound=msgspec.Struct)


@functools.cache
def _lists(expected: type[msgspec.Struct]) -> frozenset[str]:
    """The names of the fields that are lists."""
    struct = inspect.type_info(expected)
    assert isinstance(struct, inspect.StructType)
    return frozenset(
        field.encode_name for field in struct.fields if isinstance(field.type, inspect.VarTupleType)
    )


def read_parameters(items: Iterable[tuple[str, str]], expected: type[T]) -> T:
    """Read names and values.

    One that ends with `[]` is an item of a list, and so is one whose field is a list.

    Raises:
        Refused: One is unknown, given twice, of the wrong type, or out of range.
    """
    tree: dict[str, str | list[str]] = {}
    for given, value in items:
        name = given.removesuffix("[]")
        before = tree.get(name)
        is_item = name != given or name in _lists(expected)
        if is_item and not isinstance(before, str):
            tree[name] = [*(before or []), value]
        elif before is not None:
            message = f"'{show_name(name)}' is given more than once"
            raise Refused(400, "bad_request", message, field=show_name(name))
        else:
            tree[name] = value
    try:
        parameters = msgspec.convert(with_whole_numbers(tree, expected), expected, strict=False)
        for name in tree:
            if getattr(parameters, name) is None:  # "null" is text here, not an absent value
                raise msgspec.ValidationError(f"Expected a value - at `$.{name}`")
        return parameters
    except msgspec.ValidationError as error:
        problem = explain(error, tree, expected)
        raise Refused(400, "bad_request", problem.message, field=problem.field) from None
