"""One channel's audio at one sample rate: a resampler, and the buffer of its output."""

import numpy as np
import numpy.typing as npt

from streamer.audio.buffer import SampleBuffer
from streamer.audio.resample import Resampler

Samples = npt.NDArray[np.float32]


class Track:
    """The audio of one channel at `rate`, addressed in samples from the start of the stream.

    Args:
        input_rate: Hz. The rate of the samples that are pushed.
        rate: Hz. The rate of the samples that are held.
    """

    def __init__(self, input_rate: int, rate: int) -> None:
        self.input_rate = input_rate
        self.rate = rate
        self.buffer = SampleBuffer()
        self._received = 0
        self._finished = False
        self._resampler = Resampler(input_rate, rate)

    @property
    def end(self) -> int:
        """One past the last sample held."""
        return self.buffer.end

    def input_samples_until(self, end: int) -> int:
        """Samples at the input rate that must still be pushed to hold everything before `end`.

        The resampler holds a few back, so more may be needed.
        """
        return max(0, -(-end * self.input_rate // self.rate) - self._received)

    def input_samples_before(self, position: int) -> int:
        """The number of samples at the input rate that are before a sample of the track.

        It grows with `position`, so that adjacent spans add up. After `finish`, those before `end`
        are all that were pushed.
        """
        if self._finished and position == self.end:
            return self._received
        # The resampler emits sample p when ceil((p - 1/2) * input_rate / rate) have come.
        return max(0, -(-(2 * position - 1) * self.input_rate // (2 * self.rate)))

    def push(self, samples: Samples) -> None:
        """Take float32 [n] at the input rate."""
        self._received += len(samples)
        self.buffer.append(self._resampler.push(samples))

    def cut(self) -> None:
        """Output everything pushed so far; the stream goes on."""
        self.buffer.append(self._resampler.cut())

    def finish(self) -> None:
        """Output everything pushed; nothing may be pushed afterwards."""
        self.buffer.append(self._resampler.finish())
        self._finished = True

    def release(self) -> None:
        """Discard everything that is held."""
        self.buffer.discard_before(self.end)
