"""Three bytes, in the order of the processor, as the upper ones of four."""

import numpy as np
from numpy.typing import NDArray


class Decoder24:
    """Keeps less than one frame."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._rest = b""

    def decode(self, data: bytes) -> NDArray[np.float32]:
        """Pad to big-endian 32 bits, which is 256 times the value."""
        block = self._rest + data
        used = len(block) - len(block) % (3 * self._channels)
        self._rest = block[used:]
        padded = np.zeros((used // 3, 4), np.uint8)
        padded[:, :3] = np.frombuffer(block, np.uint8, used).reshape(-1, 3)
        samples = padded.reshape(-1).view(">i4").astype(np.float32) * np.float32(2.0**-31)
        return np.ascontiguousarray(samples.reshape(-1, self._channels).T)
