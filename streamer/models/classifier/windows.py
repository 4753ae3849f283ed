"""Segments of any length made into windows of the lengths that a classifier takes.

Shorter segments are padded, longer ones cut. The windows of a long segment begin one hop after
another; the last one ends with the segment, and so begins less than a hop after the one before it
when the length does not fit. Every sample is in at least one window, and none is padded.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from streamer.weights.schema import ClassifierSettings

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Windows:
    """How segments are cut; lengths in samples.

    Attributes:
        shortest: Shorter segments are padded to this, at least 1.
        longest: Longer segments are cut to this; None is no limit.
        hop: From one window's start to the next one's.
        padding: With `zeros` after the segment, or `repeat` it over and over.
    """

    shortest: int
    longest: int | None
    hop: int
    padding: Literal["zeros", "repeat"]

    @classmethod
    def of(cls, settings: ClassifierSettings, sample_rate: int) -> "Windows":
        """The windows of a classifier at its rate in Hz."""

        def samples(seconds: float) -> int:
            return max(1, round(seconds * sample_rate))

        longest = None if settings.max_seconds is None else samples(settings.max_seconds)
        hop = longest if settings.hop_seconds is None else samples(settings.hop_seconds)
        return cls(samples(settings.min_seconds), longest, hop or 1, settings.padding)

    def cut(self, segment: Floats) -> list[Floats]:
        """The windows of one segment, float32 [n] each; one at least, in order of time."""
        count = len(segment)
        if count < self.shortest:
            return [self._pad(segment)]
        if self.longest is None or count <= self.longest:
            return [segment]
        last = count - self.longest
        starts = [*range(0, last, self.hop), last]
        return [segment[start : start + self.longest] for start in starts]

    def _pad(self, segment: Floats) -> Floats:
        if self.padding == "repeat" and len(segment):
            return np.resize(segment, self.shortest)
        return np.pad(segment, (0, self.shortest - len(segment)))
