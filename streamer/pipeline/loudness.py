"""Which audio is louder than its stream's own background. Pure and clock-free.

The level of each window is compared with a noise floor: a low percentile of the levels of ten
seconds. Speech pauses often enough within ten seconds for its pauses to show the background, which
is what the tracking of minima builds on too (R. Martin, "Noise power spectral density estimation
based on optimal smoothing and minimum statistics", IEEE Trans. Speech and Audio Processing 9(5),
2001). Steady noise is its own floor, and never loud.
"""

from array import array
from itertools import pairwise

import numpy as np

from streamer.audio.resample import Samples

BLOCK_SECONDS = 10.0
"""Seconds of audio for which one floor holds."""

FLOOR_PERCENTILE = 10
"""Of the levels in a block: the noise floor."""

MARGIN_DB = 12.0
"""Decibels above the floor from which a window is loud. The level of steady noise (white or pink
noise, mains hum, rain) stays below it; most of speech that a detector misses is above it."""

LEAST_DBFS = -80.0
"""Decibels relative to full scale, RMS. Below it nothing is loud, however quiet the background is.
The dither of 16-bit recordings is 13 dB below it; speech that was recorded at -25 dBFS and made
50 dB quieter is 5 dB above it."""

AUDIBLE_DBFS = -40.0
"""Decibels relative to full scale, RMS. From here on a sound counts as audible, also when it is as
steady as an alarm tone, which is its own noise floor. The noise of a microphone in a quiet room is
10 dB below it or more."""

_SILENCE = 1e-12


class LoudWindows:
    """Judges one channel's windows, in blocks; how they are grouped does not matter.

    Args:
        window: Samples in a window.
        sample_rate: In Hz.

    Attributes:
        audible_s: Seconds of the audio judged so far that are at `AUDIBLE_DBFS` or above.
    """

    def __init__(self, window: int, sample_rate: int) -> None:
        self.audible_s = 0.0
        self._sample_rate = sample_rate
        self._window = window
        self._block = round(BLOCK_SECONDS * sample_rate / window)
        """Windows in a block."""
        self._sums = array("f")
        """Of the samples of the windows that are not judged, and of the last block that is."""
        self._squares = array("f")
        """The sums of their squares."""
        self._sizes = array("H")
        """The numbers of their samples."""
        self._judged = 0
        """Number of these windows that are judged."""
        self._begin = 0
        """The first sample of the first window that is not judged."""

    def push(self, samples: Samples) -> None:
        """Take the next windows, float32 [n]; only the last before a flush may be shorter."""
        whole = len(samples) // self._window
        if whole:
            self._push(samples[: whole * self._window].reshape(whole, self._window))
        if whole * self._window < len(samples):
            self._push(samples[None, whole * self._window :])

    def _push(self, windows: Samples) -> None:
        count, size = windows.shape
        # Row by row, so that the bits of a sum do not depend on how windows are grouped.
        self._sums.frombytes(np.add.reduce(windows, axis=1).tobytes())
        self._squares.frombytes(np.vecdot(windows, windows).tobytes())
        self._sizes.extend([size] * count)

    @property
    def judged_until(self) -> int:
        """The first sample that is not judged."""
        return self._begin

    def judge(self, until: int, *, all_of_it: bool = False) -> list[tuple[int, int]]:
        """Judge the blocks that are complete, and end before sample `until`.

        Args:
            until: From here on, nothing is judged yet.
            all_of_it: The stream is over: judge also the block that is not complete. Its floor is
                that of the last ten seconds.

        Returns:
            The runs of loud windows, from their first sample to one past their last.
        """
        runs: list[tuple[int, int]] = []
        while (new := len(self._sizes) - self._judged) >= self._block or (all_of_it and new):
            count = min(new, self._block)
            if self._end_of(count) > until:
                break
            runs += self._judge(count)
        return runs

    def _end_of(self, count: int) -> int:
        """One past the last sample of the next `count` windows."""
        return self._begin + sum(self._sizes[self._judged : self._judged + count])

    def _judge(self, count: int) -> list[tuple[int, int]]:
        last = self._judged + count
        first = max(0, last - self._block)
        sizes = np.array(self._sizes[first:last], dtype=np.int64)
        means = np.array(self._sums[first:last], dtype=np.float64) / sizes
        squares = np.array(self._squares[first:last], dtype=np.float64) / sizes
        # The power without an offset, which some sound cards add.
        levels = 10 * np.log10(np.maximum(squares - means * means, _SILENCE))
        floor = np.sort(levels)[len(levels) * FLOOR_PERCENTILE // 100]
        loud = levels[-count:] >= max(floor + MARGIN_DB, LEAST_DBFS)
        audible = sizes[-count:][levels[-count:] >= AUDIBLE_DBFS]
        self.audible_s += int(audible.sum()) / self._sample_rate
        edges = self._begin + np.concatenate([[0], np.cumsum(sizes[-count:])])
        changes = np.flatnonzero(np.diff(loud, prepend=False, append=False))
        del self._sums[:first], self._squares[:first], self._sizes[:first]
        self._judged, self._begin = last - first, int(edges[-1])
        return list(pairwise(edges[changes].tolist()))[::2]
