"""Equal chunks: the samples that do not fill one are kept."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class Chunker:
    """Keeps less than one chunk."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = np.empty(0, np.float32)

    def push(self, piece: Samples) -> list[Samples]:
        """Join the rest and the piece, and cut."""
        joined = np.concatenate((self._rest, piece))  # a copy: the caller may overwrite the piece
        full = len(joined) // self._size * self._size
        self._rest = joined[full:].copy()  # a view would keep all of `joined` in memory
        return [joined[at : at + self._size] for at in range(0, full, self._size)]

    def finish(self) -> Samples | None:
        """Return the rest."""
        rest, self._rest = self._rest, np.empty(0, np.float32)
        return rest if len(rest) else None
