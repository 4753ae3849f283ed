"""Cuts segments of any length into windows of the lengths that a classifier takes.

Shorter segments are padded, longer ones cut. The windows of a long segment begin one hop apart. The
last window is shifted back to end with the segment, so it overlaps more. Every sample is in at
least one window, and no window of a long segment is padded.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from streamer.onnx.graph import Floats
from streamer.weights.manifest_schema import ClassifierSettings


@dataclass(frozen=True, slots=True)
class WindowCutter:
    """How segments are cut; lengths in samples.

    Attributes:
        shortest: Shorter segments are padded to this, at least 1.
        longest: Longer segments are cut into windows of this length. None = no limit.
        hop: From the start of one window to the start of the next.
        padding: `zeros` = silence after the segment; `repeat` = the segment again and again.
    """

    shortest: int
    longest: int | None
    hop: int
    padding: Literal["zeros", "repeat"]

    @classmethod
    def of(cls, settings: ClassifierSettings, sample_rate: int) -> "WindowCutter":
        """The windows of a classifier; `sample_rate` in Hz."""

        def samples(seconds: float) -> int:
            return max(1, round(seconds * sample_rate))

        longest = None if settings.max_seconds is None else samples(settings.max_seconds)
        hop = longest if settings.hop_seconds is None else samples(settings.hop_seconds)
        return cls(samples(settings.min_seconds), longest, hop or 1, settings.padding)

    def cut(self, segment: Floats) -> list[Floats]:
        """The windows of one segment, float32 [n] each, in order of time; at least one."""
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
