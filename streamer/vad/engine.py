"""What a voice-activity detector is: windows of samples in, probabilities of speech out."""

from collections.abc import Awaitable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streamer.vad.batching import Company

Window = npt.NDArray[np.float32]


class Detector(Protocol):
    """The detector of one channel of one stream; it carries that channel's state."""

    def detect(self, windows: Window) -> Awaitable[list[float]]:
        """Begin to find the probabilities of speech of consecutive windows.

        Args:
            windows: float32 [n, window] at the engine's sample rate; must not change until
                the result is there.

        Returns:
            To be awaited: n probabilities from 0 to 1, in order.
        """


class VadEngine(Protocol):
    """A kind of detector, shared by all channels of a server."""

    name: str
    window: int
    """Samples in one window."""
    sample_rate: int
    """The rate of the audio it takes, in Hz."""

    @property
    def company(self) -> Company | None:
        """Whose windows would come along when others are taken; None when that is of no use."""

    def open(self) -> Detector:
        """A detector with fresh state for one channel."""
