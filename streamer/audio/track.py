"""One channel's audio at one sample rate: a resampler and what came out of it."""

import numpy as np
import numpy.typing as npt

from streamer.audio.buffer import SampleBuffer
from streamer.audio.resample import Resampler

Samples = npt.NDArray[np.float32]


class Track:
    """The audio of one channel at `rate`, addressed in samples from the start of the stream.

    Args:
        input_rate: Rate in Hz of what is pushed.
        rate: Rate in Hz of what is held.
    """

    def __init__(self, input_rate: int, rate: int) -> None:
        self.input_rate = input_rate
        self.rate = rate
        self.buffer = SampleBuffer()
        self._received = 0
        self._resampler = Resampler(input_rate, rate)

    @property
    def end(self) -> int:
        """One past the last sample held."""
        return self.buffer.end

    def missing(self, end: int) -> int:
        """Samples at the input rate without which not everything to `end` can be held.

        The resampler keeps a few back, so it may take more.
        """
        return max(0, -(-end * self.input_rate // self.rate) - self._received)

    def push(self, samples: Samples) -> None:
        """Take float32 [n] at the input rate."""
        self._received += len(samples)
        self.buffer.append(self._resampler.push(samples))

    def cut(self) -> None:
        """Bring out everything pushed so far, and go on."""
        self.buffer.append(self._resampler.cut())

    def finish(self) -> None:
        """Bring out everything pushed; nothing may be pushed afterwards."""
        self.buffer.append(self._resampler.finish())

    def release(self) -> None:
        """Let go of all that is held."""
        self.buffer.discard_before(self.end)
