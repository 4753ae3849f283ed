"""Checks the types of the arguments of the package's functions, before anything is sent."""

from collections.abc import Callable, Collection, Mapping
from os import PathLike
from typing import NamedTuple

LONGEST_SHOWN = 60
"""Characters of a value in a message."""


class _Kind(NamedTuple):
    """What an argument may be, in words, and the check of a value."""

    allowed: str
    fits: Callable[[object], bool]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TEXT = _Kind("text", lambda value: isinstance(value, str))
_TEXT_OR_NONE = _Kind("text or None", lambda value: value is None or isinstance(value, str))
_SWITCH = _Kind("True or False", lambda value: isinstance(value, bool))
_WHOLE_NUMBER = _Kind(
    "a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)
)
_NUMBER = _Kind("a number", _is_number)
_TERMS = _Kind(
    "a list of texts",
    lambda value: (
        isinstance(value, Collection) and not isinstance(value, str | bytes | bytearray | Mapping)
    ),
)
_SETTINGS = _Kind(
    'a mapping such as {"min_silence_ms": 300}, or None',
    lambda value: value is None or isinstance(value, Mapping),
)

_KINDS: Mapping[str, _Kind] = {
    "path": _Kind("text or a path", lambda value: isinstance(value, str | PathLike)),
    "url": _TEXT,
    "sample_rate": _WHOLE_NUMBER,
    "channels": _WHOLE_NUMBER,
    "bit_depth": _WHOLE_NUMBER,
    "is_float": _SWITCH,
    "encoding": _TEXT_OR_NONE,
    "interim_results": _SWITCH,
    "eager": _SWITCH,
    "words": _SWITCH,
    "keyterms": _TERMS,
    "vad": _SETTINGS,
    "model": _TEXT_OR_NONE,
    "token": _TEXT_OR_NONE,
    "trace_id": _TEXT_OR_NONE,
    "timeout_s": _Kind("a number of seconds", _is_number),
}
"""By name of the argument; the same in each function that has it."""

_SECRET = "token"  # noqa: S105 – a name


def check_types(arguments: Mapping[str, object]) -> None:
    """Check arguments by their names.

    Raises:
        TypeError: One is of another type; the message names it, its value and what is allowed. Of a
            token it has the type only, because messages get into logs.
    """
    for name, value in arguments.items():
        kind = _KINDS[name]
        if not kind.fits(value):
            raise _wrong(name, value, kind)
    terms = arguments.get("keyterms")
    for index, term in enumerate(terms if isinstance(terms, Collection) else ()):
        if not _TEXT.fits(term):
            raise _wrong(f"keyterms[{index}]", term, _TEXT)
    settings = arguments.get("vad")
    for key, value in settings.items() if isinstance(settings, Mapping) else ():
        if not _TEXT.fits(key):
            raise _wrong("a key of vad", key, _TEXT)
        if not _NUMBER.fits(value):
            raise _wrong(f"vad[{key!r}]", value, _NUMBER)


def _wrong(name: str, value: object, kind: _Kind) -> TypeError:
    shown = f"of type {type(value).__name__}" if name == _SECRET else repr(value)
    if len(shown) > LONGEST_SHOWN:
        shown = f"{shown[: LONGEST_SHOWN - 1]}…"
    return TypeError(f"{name} is {shown}; allowed: {kind.allowed}")
