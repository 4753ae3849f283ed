"""The interface of voice-activity detectors: windows in, probabilities of speech out."""

from collections.abc import Awaitable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streamer.vad.batching import BatchInvitations

WindowArray = npt.NDArray[np.float32]


class Detector(Protocol):
    """The detector of one channel of one stream, with that channel's state."""

    def detect(self, windows: WindowArray) -> Awaitable[list[float]]:
        """Start to compute the probabilities of speech of consecutive windows.

        Args:
            windows: float32 [n, window] at the engine's sample rate. They must not change until
                the result is awaited.

        Returns:
            An awaitable of n probabilities from 0 to 1, in order.
        """


class VadEngine(Protocol):
    """A kind of detector, shared by all channels of a server."""

    name: str
    window: int
    """Samples in one window."""
    sample_rate: int
    """Hz. The rate of the audio that its detectors take."""

    @property
    def invitations(self) -> BatchInvitations | None:
        """Takes streams that would join a batch early. None = batches save nothing here."""

    def open(self) -> Detector:
        """A detector with fresh state for one channel."""
