"""Decoding is a table, and encoding a search in it."""

import numpy as np
from numpy.typing import NDArray

from streamer.audio.pcm import MULAW

_ORDER = np.argsort(MULAW, kind="stable").astype(np.uint8)
_VALUES = MULAW[_ORDER].astype(np.float64)
_BETWEEN = (_VALUES[1:] + _VALUES[:-1]) / 2
"""The borders: between two of them, one value is the nearest."""


def decode(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Look each up."""
    return MULAW[codes]


def encode(samples: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Find between which borders each lies; beyond the last ones are the extremes."""
    return _ORDER[np.searchsorted(_BETWEEN, samples)]
