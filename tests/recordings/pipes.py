"""Pipes that give bytes in pieces of any sizes."""

from io import BytesIO

import numpy as np

from streamer.recordings.decoding import Decoding


class Pieces:
    """A pipe that gives bytes in pieces of any sizes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._file = BytesIO(data)
        self._sizes = sizes or [len(data)]
        self._reads = 0

    def read(self, count: int, /) -> bytes:
        self._reads += 1
        return self._file.read(min(count, self._sizes[self._reads % len(self._sizes)]))


def samples(recording: Decoding) -> np.ndarray:
    """All of a recording, [channels, n]."""
    return np.concatenate(list(recording.pieces()), axis=1)
