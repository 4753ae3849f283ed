"""Where a segment that has become too long is cut: at its quietest place."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

SEARCH_FRACTION = 1 / 3
"""A forced cut falls in the last third of the longest allowed segment."""

FRAME_MS = 30
HOP_MS = 10


class SampleSource(Protocol):
    """The audio behind the windows, addressed in samples from the start of the stream."""

    @property
    def end(self) -> int:
        """One past the last sample held."""

    def view(self, start: int, end: int) -> npt.NDArray[np.float32]:
        """The samples [start, end)."""


def quietest_place(samples: SampleSource, earliest: int, limit: int, sample_rate: int) -> int:
    """The middle of the quietest `FRAME_MS` in [earliest, limit)."""
    frame = sample_rate * FRAME_MS // 1000
    hop = sample_rate * HOP_MS // 1000
    squared = np.square(samples.view(earliest, limit), dtype=np.float64)
    energy = np.lib.stride_tricks.sliding_window_view(squared, frame)[::hop].sum(axis=1)
    return earliest + int(energy.argmin()) * hop + frame // 2
