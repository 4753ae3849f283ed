"""Mu-law in both directions."""

import numpy as np
from numpy.typing import NDArray


def decode(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the value of each code, full scale 1.0, as `streamer.audio.pcm.MULAW` has it."""
    raise NotImplementedError


def encode(samples: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a code for each sample whose value is nearest to it.

    Samples beyond the range get the code of the largest or the smallest value. There must be no
    loop over the samples. (A sorted table and `np.searchsorted` are one way.)

    Args:
        samples: float32 [n], finite.
    """
    raise NotImplementedError
