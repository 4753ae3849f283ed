"""What a key term may be: of the configuration, of a `start`, of a query and of a form alike."""

import unicodedata
from typing import TYPE_CHECKING, Annotated, TypeAlias

from msgspec import Meta

from streamer.config.explain import ALLOWED

MAX_KEY_TERM_LENGTH = 100
"""Characters."""
MAX_KEY_TERMS = 100
"""Phrases of one client, or of the configuration. Each costs a little for every token."""

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that no term has: control and format characters, lone surrogates (which
UTF-8 cannot encode), and the ends of lines and paragraphs."""

JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
"""Format characters that words of Persian, Hindi and other languages are written with."""

_ALLOWED = (
    f"text of 1 to {MAX_KEY_TERM_LENGTH} characters, with a letter or a digit, and without line "
    "breaks, tabs and other invisible characters"
)


def is_key_term(value: object) -> bool:
    """Whether a value is a key term.

    Signs alone are none: no model can spell them.
    """
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_KEY_TERM_LENGTH
        and any(map(str.isalnum, value))
        and INVISIBLE.isdisjoint(map(unicodedata.category, set(value) - JOINERS))
    )


class _Check(type):
    """Of a type whose instances are the key terms, although each is a plain `str`."""

    def __instancecheck__(cls, instance: object) -> bool:
        return is_key_term(instance)


class _KeyTerm(metaclass=_Check):
    """msgspec takes a value for a type that it does not have itself if it is an instance of it."""


if TYPE_CHECKING:
    _Text: TypeAlias = str
else:
    _Text = _KeyTerm

KeyTerm = Annotated[
    _Text,
    Meta(
        # A pattern would be another check: those of JSON Schema have other words for a letter.
        extra_json_schema={
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_KEY_TERM_LENGTH,
            "description": f"A key term: {_ALLOWED}.",
        },
        extra={ALLOWED: _ALLOWED},
    ),
]
"""A name or a rare word, or several words."""
KeyTerms = Annotated[tuple[KeyTerm, ...], Meta(max_length=MAX_KEY_TERMS)]
