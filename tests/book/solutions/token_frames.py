"""Dynamic programming: the best sum of a path that is at a token and a frame."""

from collections.abc import Sequence
from typing import NamedTuple

IMPOSSIBLE = float("-inf")


class Frames(NamedTuple):
    """The first frame of a token and the last."""

    first: int
    last: int


def token_frames(scores: Sequence[Sequence[float]]) -> list[Frames]:
    """Forwards the best sums, backwards the way that led to the best one."""
    if not scores:
        return []
    sums: list[list[float]] = []
    entered: list[list[bool]] = []  # whether the token begins at this frame
    for row in scores:
        best: list[float] = []
        begins: list[bool] = []
        for frame, score in enumerate(row):
            enter = sums[-1][frame - 1] if sums and frame else IMPOSSIBLE
            if not sums:  # the first token may begin anywhere
                enter = 0.0
            stay = best[-1] if best else IMPOSSIBLE
            best.append(max(enter, stay) + score)
            begins.append(enter >= stay)
        sums.append(best)
        entered.append(begins)
    last = max(range(len(sums[-1])), key=sums[-1].__getitem__)
    found: list[Frames] = []
    for token in range(len(scores) - 1, -1, -1):
        first = last
        while not entered[token][first]:
            first -= 1
        found.append(Frames(first, last))
        last = first - 1
    return found[::-1]
