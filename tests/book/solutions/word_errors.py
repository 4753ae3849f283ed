"""Levenshtein's distance, a row at a time."""

from typing import NamedTuple


class Errors(NamedTuple):
    """The least number of changes."""

    replaced: int
    left_out: int
    added: int


def word_errors(reference: list[str], transcript: list[str]) -> Errors:
    """For each beginning of both: the best of three ways to get there."""
    row = [Errors(0, 0, count) for count in range(len(transcript) + 1)]
    for count, word in enumerate(reference, 1):
        above, row = row, [Errors(0, count, 0)]
        for index, other in enumerate(transcript):
            diagonal = above[index]
            if word != other:
                diagonal = diagonal._replace(replaced=diagonal.replaced + 1)
            up, left = above[index + 1], row[index]
            ways = (
                diagonal,
                up._replace(left_out=up.left_out + 1),
                left._replace(added=left.added + 1),
            )
            row.append(min(ways, key=lambda errors: (sum(errors), -errors.replaced)))
    return row[-1]


def error_rate(pairs: list[tuple[list[str], list[str]]]) -> float | None:
    """Add up first, and divide at the end."""
    words = sum(len(reference) for reference, _ in pairs)
    return sum(sum(word_errors(*pair)) for pair in pairs) / words if words else None
