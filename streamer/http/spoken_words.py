"""The words of a text and their confidence, for clients that need both from every model. Pure.

Where the model gives none, the times of words are estimated, and the confidence is a constant.
"""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any, NamedTuple
from unicodedata import category

from streamer.inference.timed_words import read_words

UNMEASURED_CONFIDENCE = 0.9
"""Of text whose model gives no confidence, and of interims. Programs need a number."""

KEPT_SIGNS = frozenset("%&@#*/\\")
"""Signs that Unicode counts as punctuation and that are read aloud; they stay at a word's ends."""


class GivenWord(NamedTuple):
    """A word of a segment, as the model gives it; times in seconds from the start of the stream."""

    text: str
    start: float
    end: float
    confidence: float


def confidence_of(output: Mapping[str, Any]) -> float | None:
    """The confidence in a model's output, from 0 to 1; None = it has none."""
    found = output.get("confidence")
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if 0 <= found <= 1 else None


def mean_confidence(confidences: Iterable[float | None]) -> float | None:
    """The mean of those that were measured; None = none was."""
    measured = [each for each in confidences if each is not None]
    return round(fmean(measured), 4) if measured else None


def spoken_words(
    output: Mapping[str, Any], text: str, begin_s: float, end_s: float
) -> list[GivenWord]:
    """The words of a text: as the model gives them, or else estimated.

    An estimate spreads the words over the speech, each as long as it has letters.

    Args:
        output: Of the model, with times in seconds from the start of the stream.
        text: Of `output`.
        begin_s: Of the speech.
        end_s: Of the speech.
    """
    try:
        given = read_words(output)
    except ValueError:  # a model of one's own has another kind of words
        given = []
    if given:
        return [GivenWord(w.text, w.start_time, w.end_time, w.confidence) for w in given]
    words = text.split()
    letters = sum(map(len, words)) or 1
    per_letter_s = max(0.0, end_s - begin_s) / letters
    found, at_s = [], begin_s
    for word in words:
        until_s = at_s + per_letter_s * len(word)
        found.append(GivenWord(word, at_s, until_s, UNMEASURED_CONFIDENCE))
        at_s = until_s
    return found


def plain(text: str) -> str:
    """A text in lower case and without punctuation between its words."""
    return " ".join(filter(None, map(bare, text.split())))


def bare(word: str) -> str:
    """A word in lower case, without the punctuation before and after it; "" = there is no more."""
    first, last = 0, len(word)
    while first < last and _is_punctuation(word[first]):
        first += 1
    while last > first and _is_punctuation(word[last - 1]):
        last -= 1
    return word[first:last].lower()


def _is_punctuation(sign: str) -> bool:
    return category(sign)[0] == "P" and sign not in KEPT_SIGNS
