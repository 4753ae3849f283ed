"""Whole numbers for places, floats for values, and one sample of memory."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class LinearResampler:
    """Keeps the last input sample, as the beginning of the next line."""

    def __init__(self, input_rate: int, output_rate: int) -> None:
        self._input_rate = input_rate
        self._output_rate = output_rate
        self._received = 0
        self._emitted = 0
        self._last = np.empty(0, np.float32)

    def push(self, samples: Samples) -> Samples:
        """Emit up to the last sample received: its place is the end of the last line."""
        if not len(samples):
            return np.empty(0, np.float32)
        held = np.concatenate((self._last, samples))
        first = self._received - len(self._last)  # index of held[0]
        self._received += len(samples)
        self._last = samples[-1:].copy()
        # The last output k with k * input_rate / output_rate <= received - 1.
        end = (self._received - 1) * self._output_rate // self._input_rate + 1
        places = np.arange(self._emitted, end) * self._input_rate
        self._emitted = max(self._emitted, end)
        before, part = np.divmod(places, self._output_rate)
        left = held[before - first]
        right = held[np.minimum(before - first + 1, len(held) - 1)]
        share = (part / self._output_rate).astype(np.float32)
        output: Samples = left + share * (right - left)
        return output
