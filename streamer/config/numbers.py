"""Whole numbers that are written with a fraction of zero, as some JSON libraries write all numbers.

JSON has one type of number, so `16000.0` is the integer 16000 (RFC 8259, section 6).
"""

import functools
import re

from msgspec import inspect

_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")


def with_whole_numbers(tree: object, expected: type) -> object:
    """Replace whole floats by integers where an integer is expected; all else is unchanged.

    Args:
        tree: A value, as parsed from JSON, or of a query whose values are text.
        expected: The struct that it is going to be converted to.
    """
    return _converted(tree, _type_info(expected))


_type_info = functools.cache(inspect.type_info)


def _converted(value: object, kind: inspect.Type) -> object:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    for one in kinds:
        match one, value:
            case inspect.StructType(fields=fields), dict():
                types = {field.encode_name: field.type for field in fields}
                return {
                    name: _converted(item, types[name]) if name in types else item
                    for name, item in value.items()
                }
            case inspect.VarTupleType(item_type=item_type), list():
                return [_converted(item, item_type) for item in value]
            case inspect.IntType(), float():
                return int(value) if value.is_integer() else value
            case inspect.IntType(), str() if whole := _WHOLE.fullmatch(value):
                return whole[1]
    return value
