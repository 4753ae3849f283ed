"""Count wrong words."""

from typing import NamedTuple


class Errors(NamedTuple):
    """The least number of changes that make the reference of a transcript."""

    replaced: int
    left_out: int
    added: int


def word_errors(reference: list[str], transcript: list[str]) -> Errors:
    """Return the errors of a transcript.

    Their sum is the least possible. If several ways have the same sum, return the one with the most
    words replaced.
    """
    raise NotImplementedError


def error_rate(pairs: list[tuple[list[str], list[str]]]) -> float | None:
    """Return all errors of (reference, transcript), divided by all words of the references.

    Recordings with more words count more. It may be above 1. None = there are no words.
    """
    raise NotImplementedError
