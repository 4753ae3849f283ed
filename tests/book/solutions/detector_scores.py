"""A truth value for each frame."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Interval = tuple[int, int]


class Scores(NamedTuple):
    """Shares of frames."""

    precision: float | None
    recall: float | None
    false_alarm: float | None


def _mask(intervals: Sequence[Interval], frames: int) -> NDArray[np.bool_]:
    mask = np.zeros(frames, np.bool_)
    for start, end in intervals:
        mask[start:end] = True
    return mask


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    count = int(whole.sum())
    return float((part & whole).sum()) / count if count else None


def scores(found: Sequence[Interval], labelled: Sequence[Interval], frames: int) -> Scores:
    """Count frames in both."""
    hits, speech = _mask(found, frames), _mask(labelled, frames)
    return Scores(_share(speech, hits), _share(hits, speech), _share(hits, ~speech))
