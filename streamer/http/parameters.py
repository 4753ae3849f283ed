"""What a request asks for, in its query or its form: text, read into typed structs."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from streamer.http.refusals import Refused
from streamer.validation import explain, show_name

T = TypeVar("T", bound=msgspec.Struct)


def read_parameters(items: Iterable[tuple[str, str]], expected: type[T]) -> T:
    """Read names and values; a name that ends with `[]` may come more than once.

    Raises:
        Refused: One is unknown, given twice, of the wrong type, or out of range.
    """
    tree: dict[str, str | list[str]] = {}
    for name, value in items:
        if name.endswith("[]"):
            values = tree.setdefault(name, [])
            assert isinstance(values, list)
            values.append(value)
        elif name in tree:
            message = f"'{show_name(name)}' is given more than once"
            raise Refused(400, "bad_request", message, field=show_name(name))
        else:
            tree[name] = value
    try:
        return msgspec.convert(tree, expected, strict=False)
    except msgspec.ValidationError as error:
        problem = explain(error, tree, expected)
        raise Refused(400, "bad_request", problem.message, field=problem.field) from None
