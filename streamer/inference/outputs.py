"""What a model returned, as JSON represents it; anything else is refused, with its field. Pure."""

import dataclasses
import enum
import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

ALLOWED = (
    "text, numbers, True, False, None, lists, tuples and mappings of them, and numpy's numbers and "
    "arrays"
)
"""What a field may be, for an error message."""

DEEPEST = 100
"""Levels of lists and mappings in each other, at most."""

LEAST_INTEGER, MOST_INTEGER = -(1 << 63), (1 << 64) - 1
"""What a message to the server can hold."""

_REMEDIES: tuple[tuple[Any, str], ...] = (
    ((set, frozenset), "it has no order: sorted(…) makes a list of it"),
    ((bytes, bytearray, memoryview), ".decode() makes text of it, list(…) makes numbers"),
    (complex, "give its .real and its .imag"),
    (enum.Enum, "give its .value"),
)


def plain(output: object, method: str = "infer") -> dict[str, Any]:
    """A model's output in the types of JSON.

    Tuples and numpy's arrays become lists, numpy's numbers numbers, whole numbers as keys text, and
    NaN and infinity None, as JSON has none of them. Nothing else is converted, because its form in
    JSON would be a guess. So what JSON cannot hold is this model's failure on this segment, and
    never a frame that the server cannot read or an event that it cannot send.

    Args:
        output: What it returned.
        method: Which of its methods did, for the message.

    Raises:
        TypeError, ValueError, OverflowError: It cannot be sent; the message names the field.
    """
    if not isinstance(output, Mapping):
        raise TypeError(f"{method} returned {_kind(output)}; {_must_return(output, method)}")
    converted: dict[str, Any] = _Converter(method).convert(output, (), 0)
    return converted


def _must_return(output: object, method: str) -> str:
    sample = '{"text": "…"}' if isinstance(output, str) else '{"score": 0.5}'
    if inspect.iscoroutine(output):
        output.close()
        return f"write 'def {method}', not 'async def', and return {sample}"
    if inspect.isgenerator(output):
        return f"write return, not yield: {sample}"
    or_none = " or None" if method == "gate" else ""
    return f"it must return a mapping such as {sample}{or_none}"


def _kind(value: object) -> str:
    kind = type(value)
    if isinstance(value, np.ndarray):
        return f"a numpy array of {value.dtype}"
    of_python = kind.__module__ in ("builtins", "__main__")
    return kind.__name__ if of_python else f"{kind.__module__}.{kind.__name__}"


class _Converter:
    """Converts an output; holds the name of the method for its errors."""

    def __init__(self, method: str) -> None:
        self._method = method

    def convert(self, value: Any, path: tuple[object, ...], depth: int) -> Any:  # noqa: ANN401
        """The value in the types of JSON; `path` leads to it: keys, and indices of lists."""
        kind = type(value)
        # Nearly all values are of these types, and the tests for others take ten times as long.
        if kind is float:
            return value if math.isfinite(value) else None
        if (kind is str and value.isascii()) or value is None or kind is bool:
            return value
        if isinstance(value, np.bool_):
            return bool(value)
        if isinstance(value, float | np.floating):
            number = float(value)
            return number if math.isfinite(number) else None
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, int | np.integer) and not isinstance(value, enum.Enum):
            return self._integer(int(value), path)
        if depth > DEEPEST:
            where = _shown(path[:3])
            raise ValueError(
                f"{self._method} returned more than {DEEPEST} lists or mappings in each other "
                f"in '{where}…'; does it contain itself?"
            )
        if kind is dict or isinstance(value, Mapping):
            return self._mapping(value, path, depth)
        if isinstance(value, list | tuple):
            return [self.convert(v, (*path, i), depth + 1) for i, v in enumerate(value)]
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufUO":
            return self._array(value, path, depth)
        raise TypeError(
            f"{self._method} returned {_kind(value)} in '{_shown(path)}', which JSON cannot "
            f"represent; allowed: {ALLOWED}{_remedy(value)}"
        )

    def _text(self, value: str, path: tuple[object, ...]) -> str:
        text = str(value.value) if isinstance(value, enum.Enum) else str(value)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ValueError(
                    f"{self._method} returned text in '{_shown(path)}' with half a character (a "
                    "surrogate), which UTF-8 cannot represent; allowed: whole characters"
                ) from None
        return text

    def _integer(self, number: int, path: tuple[object, ...]) -> int:
        if LEAST_INTEGER <= number <= MOST_INTEGER:
            return number
        raise OverflowError(
            f"{self._method} returned an integer of {number.bit_length()} bits in "
            f"'{_shown(path)}'; allowed: 64 bits"
        )

    def _mapping(
        self, mapping: Mapping[Any, Any], path: tuple[object, ...], depth: int
    ) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, value in mapping.items():
            if type(key) is str and key.isascii():
                name = key
            elif isinstance(key, str):
                name = self._text(key, (*path, key))
            elif isinstance(key, int | np.integer) and not isinstance(key, bool | enum.Enum):
                name = str(int(key))
            else:
                inside = f" in '{_shown(path)}'" if path else ""
                raise TypeError(
                    f"{self._method} returned a mapping with {key!r:.80}, of type {_kind(key)}, as "
                    f"a key{inside}; allowed: text, and whole numbers, which become text"
                )
            if name in converted:
                raise ValueError(
                    f"{self._method} returned the key {name!r} twice, as a number and as text, in "
                    f"'{_shown((*path, name))}'; allowed: once"
                )
            converted[name] = self.convert(value, (*path, name), depth + 1)
        return converted

    def _array(self, array: Any, path: tuple[object, ...], depth: int) -> Any:  # noqa: ANN401
        is_number = array.dtype.kind in "biu" or (
            array.dtype.kind == "f" and array.dtype.itemsize <= 8 and bool(np.isfinite(array).all())
        )
        values = array.tolist()
        if is_number and not isinstance(array, np.ma.MaskedArray):
            return values
        return self.convert(values, path, depth)


def _shown(path: tuple[object, ...]) -> str:
    """`scores[2].low`."""
    shown = ""
    for step in path:
        shown += f"[{step}]" if isinstance(step, int) else f"{'.' if shown else ''}{step}"
    return "".join(c if c.isprintable() else "?" for c in shown[:100])


def _remedy(value: object) -> str:
    for kinds, remedy in _REMEDIES:
        if isinstance(value, kinds):
            return f"; {remedy}"
    if dataclasses.is_dataclass(value):
        return "; dataclasses.asdict(…) makes a mapping of it"
    for method in ("tolist", "isoformat", "item"):
        if not isinstance(value, np.ndarray | np.generic) and hasattr(value, method):
            return f"; use its .{method}()"
    return "; list(…) makes a list of it" if hasattr(value, "__iter__") else ""
