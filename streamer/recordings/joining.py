"""One stream of samples from parts that may differ in rate and in number of channels."""

import numpy as np
import numpy.typing as npt

from streamer.audio.resample import Resampler

Rows = npt.NDArray[np.float32]


class Joiner:
    """Brings all parts to the rate and the channels of the first.

    Time goes on exactly: a part of n samples at rate r becomes round(n * rate / r) samples.

    Args:
        sample_rate: Hz, of the first part.
        channels: Of the first part.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._channels = channels
        self._part_rate = sample_rate
        self._resamplers: list[Resampler] | None = None

    def push(self, rows: Rows, sample_rate: int) -> list[Rows]:
        """Take samples, float32 [channels, n], at a rate; returns what is ready, [channels, m]."""
        ready = []
        if sample_rate != self._part_rate:
            ready = self.finish()
            self._part_rate = sample_rate
            self._resamplers = None
            if sample_rate != self._sample_rate:
                self._resamplers = [
                    Resampler(sample_rate, self._sample_rate) for _ in range(self._channels)
                ]
        rows = fit_channels(rows, self._channels)
        if self._resamplers is not None:
            rows = np.stack(
                [one.push(row) for one, row in zip(self._resamplers, rows, strict=True)]
            )
        return [*ready, rows]

    def finish(self) -> list[Rows]:
        """What a resampler still holds, at the end of a part or of all."""
        if self._resamplers is None:
            return []
        tail = np.stack([one.finish() for one in self._resamplers])
        self._resamplers = None
        self._part_rate = self._sample_rate
        return [tail]


def fit_channels(rows: Rows, channels: int) -> Rows:
    """Samples for another number of channels; nothing that is in one of them is left out.

    A single channel goes to all; otherwise all get the mean of all.
    """
    if len(rows) == channels:
        return rows
    mean = rows if len(rows) == 1 else rows.mean(axis=0, keepdims=True, dtype=np.float32)
    return np.ascontiguousarray(np.broadcast_to(mean, (channels, rows.shape[1])))
