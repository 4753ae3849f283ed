"""A level meter: its state is the level."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

State = float


def measure(samples: Samples, state: State | None) -> tuple[float, State]:
    """Follow the samples one by one; the level is all that must be remembered."""
    level = 0.0 if state is None else state
    for square in np.square(samples, dtype=np.float64).tolist():
        level = 0.99 * level + 0.01 * square
    return level, level
