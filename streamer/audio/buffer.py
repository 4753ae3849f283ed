"""One channel's recent samples, addressed by their index in the stream."""

import numpy as np
from numpy.typing import NDArray

BLOCK_SAMPLES = 4_096
"""Samples in a block: 0.256 s at 16 kHz, 16 KiB.

All blocks of all channels have the same size, so a freed block fits the next one, and memory is not
fragmented. It is a multiple of Silero's window of 512, so a window lies in one block unless the
stream was flushed.
"""


class SampleBuffer:
    """A run of float32 samples, indexed from the start of the stream.

    The samples held are [start, end). New ones are appended at `end`, old ones discarded
    from `start`; an index always means the same sample. Blocks begin at multiples of
    `BLOCK_SAMPLES`; each is filled once and never moved. So a returned array never changes, and
    keeps its blocks in memory for as long as it is referenced.
    """

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.float32]] = []
        """The blocks that hold samples, read-only."""
        self._last = np.empty(0, np.float32)
        """The last block, writable."""
        self._start = 0
        self._end = 0

    @property
    def start(self) -> int:
        """Index of the oldest sample held."""
        return self._start

    @property
    def end(self) -> int:
        """Index after the newest sample: the number of samples ever appended."""
        return self._end

    def __len__(self) -> int:
        return self._end - self._start

    def append(self, samples: NDArray[np.float32]) -> None:
        """Add samples, shape [n], at `end`; ValueError if they are not one-dimensional."""
        (count,) = samples.shape
        while count:
            at = self._end % BLOCK_SAMPLES
            if not at or not self._blocks:
                self._open_block()
            room = BLOCK_SAMPLES - at
            if count <= room:
                self._last[at : at + count] = samples
                self._end += count
                return
            self._last[at:] = samples[:room]
            self._end += room
            samples = samples[room:]
            count -= room

    def view(self, a: int, b: int) -> NDArray[np.float32]:
        """Return samples [a, b) as one array, read-only.

        The samples are copied only if they lie in several blocks.

        Raises:
            IndexError: Not all of [a, b) is held, or b < a.
        """
        number, at = divmod(a, BLOCK_SAMPLES)
        if self._start <= a < b <= self._end and at + b - a <= BLOCK_SAMPLES:
            return self._blocks[number - self._start // BLOCK_SAMPLES][at : at + b - a]
        joined = np.concatenate([np.empty(0, np.float32), *self.pieces(a, b)])
        joined.flags.writeable = False
        return joined

    def pieces(self, a: int, b: int) -> list[NDArray[np.float32]]:
        """Return samples [a, b) without copying: one read-only array a block, in order.

        IndexError as for `view`.
        """
        if not self._start <= a <= b <= self._end:
            raise IndexError(f"[{a}, {b}) is not within [{self._start}, {self._end})")
        places = range(a - a % BLOCK_SAMPLES, b, BLOCK_SAMPLES) if a < b else ()
        return [self.view(max(a, place), min(b, place + BLOCK_SAMPLES)) for place in places]

    def discard_before(self, index: int) -> None:
        """Discard the samples before `index`; no error if they were discarded already.

        Raises:
            IndexError: `index` is beyond `end`.
        """
        if index > self._end:
            raise IndexError(f"cannot discard before {index}: the samples end at {self._end}")
        if index <= self._start:
            return
        if index == self._end:
            self._blocks.clear()
            self._last = np.empty(0, np.float32)
        else:
            del self._blocks[: index // BLOCK_SAMPLES - self._start // BLOCK_SAMPLES]
        self._start = index

    def _open_block(self) -> None:
        self._last = np.empty(BLOCK_SAMPLES, np.float32)
        block = self._last.view()
        block.flags.writeable = False
        self._blocks.append(block)
