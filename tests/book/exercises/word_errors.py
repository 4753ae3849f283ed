"""Count wrong words."""

from typing import NamedTuple


class Errors(NamedTuple):
    """Words of a transcript that are not as in the reference.

    Attributes:
        replaced: Words of the reference, in whose place the transcript has another word.
        left_out: Words of the reference that the transcript does not have.
        added: Words of the transcript that the reference does not have.
    """

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

    So recordings with more words count more. The rate may be above 1. None = the references have no
    words.
    """
    raise NotImplementedError
