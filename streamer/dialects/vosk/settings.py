"""The `config` of a client of vosk-server. Pure.

https://alphacephei.com/vosk/server. There is no answer to it; a value that means nothing has no
effect. Refused is only a sample rate that cannot be right.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from streamer.audio.format import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, AudioFormat
from streamer.config.explain import show
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.protocol.requests import BadRequest

DEFAULT_HZ = 8_000
"""The sample rate of audio without one; as vosk-server has it."""

MAX_PHRASES = 2 * MAX_KEY_TERMS
"""Phrases of a list that are looked at; those that are no key terms are left out."""

UNKNOWN_WORD = "[unk]"
"""In a list of phrases: all other words. They are always allowed here."""


class Shape(NamedTuple):
    """What a result contains beside its text.

    Attributes:
        words: The words, with their times.
        alternatives: The text is one of a list of alternatives.
    """

    words: bool = True
    alternatives: bool = False


class Settings(NamedTuple):
    """What a client has asked for so far.

    Attributes:
        format: Of the audio.
        model: One of the server's by its name; None = the first.
        key_terms: Names and rare words.
        shape: Of results.
    """

    format: AudioFormat = AudioFormat(DEFAULT_HZ)
    model: str | None = None
    key_terms: tuple[str, ...] = ()
    shape: Shape = Shape()


def configured(before: Settings, config: object, models: Sequence[str]) -> Settings:
    """The settings after a `config`.

    Args:
        before: Those so far.
        config: Of the message.
        models: The names of the server's models.

    Raises:
        BadRequest: The sample rate is not possible.
    """
    given: Mapping[str, object] = config if isinstance(config, dict) else {}
    model, words = given.get("model"), given.get("words")
    key_terms = _key_terms(given.get("phrase_list"))
    most = _number(given.get("max_alternatives"))
    return Settings(
        format=_format(given["sample_rate"]) if "sample_rate" in given else before.format,
        model=model if isinstance(model, str) and model in models else before.model,
        key_terms=before.key_terms if key_terms is None else key_terms,
        shape=Shape(
            words=before.shape.words if words is None else bool(words),
            alternatives=before.shape.alternatives if most is None else most > 0,
        ),
    )


def _format(rate: object) -> AudioFormat:
    number = _number(rate)  # some clients write 16000.0, or "16000"
    if number is None or not MIN_SAMPLE_RATE <= number <= MAX_SAMPLE_RATE or number % 1:
        allowed = f"a whole number from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"
        raise BadRequest("bad_format", f"'sample_rate' is {show(rate)}; allowed: {allowed}")
    return AudioFormat(int(number))


def _key_terms(phrases: object) -> tuple[str, ...] | None:
    """The phrases of a list, or of one that is written as JSON, each once; None = it is none."""
    if isinstance(phrases, str):
        try:
            phrases = msgspec.json.decode(phrases)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return None
    if not isinstance(phrases, list):
        return None
    given = phrases[:MAX_PHRASES]
    terms = (phrase for phrase in given if is_key_term(phrase) and phrase != UNKNOWN_WORD)
    return tuple(dict.fromkeys(terms))[:MAX_KEY_TERMS]


def _number(value: object) -> float | None:
    """A finite number, also as text; None = it is none."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
