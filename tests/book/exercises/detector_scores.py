"""Judge a detector by labels."""

from collections.abc import Sequence
from typing import NamedTuple

Interval = tuple[int, int]
"""Frames [start, end)."""


class Scores(NamedTuple):
    """Shares of frames, from 0 to 1. None = there is nothing of which it would be a share."""

    precision: float | None
    """Of the frames that were found, those that are labelled speech."""
    recall: float | None
    """Of the frames that are labelled speech, those that were found."""
    false_alarm: float | None
    """Of the frames that are not labelled speech, those that were found."""


def scores(found: Sequence[Interval], labelled: Sequence[Interval], frames: int) -> Scores:
    """Compare the intervals that a detector found with labelled ones, frame by frame.

    Args:
        found: In any order; they may overlap, and a frame counts once.
        labelled: In the same way.
        frames: Length of the recording. What is beyond it does not count.
    """
    raise NotImplementedError
