"""Differences of a running sum."""

import numpy as np
from numpy.typing import NDArray


def quietest(samples: NDArray[np.float32], frame: int) -> int:
    """Subtract the running sums at both ends of each frame, in 64 bits."""
    sums = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    energies = sums[frame:] - sums[:-frame]
    return int(np.argmin(energies)) + frame // 2
