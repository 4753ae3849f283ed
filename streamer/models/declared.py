"""What a model declares in its attributes, and whether the values are possible."""

from collections.abc import Callable
from typing import NamedTuple

from streamer.model import Model


class _Attribute(NamedTuple):
    """An attribute of a model.

    Attributes:
        name: Its name.
        allowed: Its allowed values in words.
        is_allowed: The check of one.
    """

    name: str
    allowed: str
    is_allowed: Callable[[object], bool]


def wrong_attribute(model: Model, of: str) -> str | None:
    """Which attribute has a value that is not possible, as a sentence; None = none has.

    Args:
        model: Loaded.
        of: What the sentence calls the model.
    """
    for name, allowed, is_allowed in _ATTRIBUTES:
        value = getattr(model, name)
        if not is_allowed(value):
            return f"{name} of {of} is {value!r}; allowed: {allowed}"
    return None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < float("inf")


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_codes(value: object) -> bool:
    """Whether these are codes of languages; one text would be a list of its letters."""
    return isinstance(value, tuple | list) and all(isinstance(code, str) and code for code in value)


_ATTRIBUTES = (
    _Attribute("sample_rate", "a whole number of Hz", _is_count),
    _Attribute("max_batch_size", "a whole number from 1", _is_count),
    _Attribute("max_batch_wait_ms", "a number from 0", _is_number),
    _Attribute(
        "max_seconds",
        "a number above 0, or None",
        lambda value: value is None or (_is_number(value) and value != 0),
    ),
    _Attribute("languages", 'a tuple of codes of languages, such as ("en",)', _are_codes),
    _Attribute("returns_words", "True or False", _is_flag),
    _Attribute("uses_key_terms", "True or False", _is_flag),
    _Attribute("uses_drafts", "True or False", _is_flag),
)
