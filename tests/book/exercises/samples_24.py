"""Big-endian 24-bit PCM, cut anywhere."""

import numpy as np
from numpy.typing import NDArray


class Decoder24:
    """Decodes one stream of interleaved, signed, big-endian 24-bit samples.

    Args:
        channels: Samples in a frame; at least 1.
    """

    def __init__(self, channels: int) -> None:
        raise NotImplementedError

    def decode(self, data: bytes) -> NDArray[np.float32]:
        """Take the next bytes, cut anywhere; return the frames that are complete now.

        Returns:
            float32 [channels, frames]; full scale is 1, so the least value is exactly -1.
        """
        raise NotImplementedError
