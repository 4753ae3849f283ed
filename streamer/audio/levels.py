"""Float samples whose full scale is not 1. Pure."""

import numpy as np
from numpy.typing import NDArray

FAR = 64.0
"""Magnitude beyond which a sample is far out of scale, 36 dB above full scale. Float audio may
exceed 1, by up to about 24 dB where tracks are mixed without a limit. Speech as integers of 16 bits
is louder than this unless it is below -54 dB."""

FAR_SAMPLES = 100
"""Samples, of all channels together, from which it is no single error of a sender."""


class LevelCheck:
    """Looks at the samples of one stream."""

    def __init__(self) -> None:
        self._far = 0
        """Samples beyond `FAR` so far."""

    def out_of_scale(self, rows: NDArray[np.float32]) -> bool:
        """Whether the stream is out of scale; true once, when that is certain.

        Args:
            rows: The next samples [channels, n].
        """
        if self._far >= FAR_SAMPLES or not rows.size:
            return False
        if rows.max() <= FAR and rows.min() >= -FAR:  # nearly always, and without a copy
            return False
        self._far += int(np.count_nonzero(np.abs(rows) > FAR))
        return self._far >= FAR_SAMPLES
