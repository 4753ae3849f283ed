"""One channel's recent samples, addressed by their place in the stream."""

import numpy as np
from numpy.typing import NDArray

BLOCK = 4_096
"""Samples in a block: 0.256 s at 16 kHz, 16 KiB.

All blocks of all channels have one size, so whatever one of them frees fits the next one, and
memory does not fall to pieces. It is a multiple of Silero's windows of 512, none of which lies
across two blocks unless a stream was flushed.
"""


class SampleBuffer:
    """A run of float32 samples, indexed from the start of the stream.

    The samples held are [start, end). New ones are appended at `end`, old ones discarded
    from `start`; an index always means the same sample. They lie in blocks that begin at
    multiples of `BLOCK`, each filled once and never moved: what was given out stays as it
    is, and keeps the blocks that it lies in for as long as somebody has it.
    """

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.float32]] = []
        """Those in which there are samples, read-only."""
        self._last = np.empty(0, np.float32)
        """The last of them, to be written to."""
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
            at = self._end % BLOCK
            if not at or not self._blocks:
                self._open_block()
            room = BLOCK - at
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

        It is a copy only where they lie in several blocks.

        Raises:
            IndexError: Not all of [a, b) is held, or b < a.
        """
        number, at = divmod(a, BLOCK)
        if self._start <= a < b <= self._end and at + b - a <= BLOCK:
            return self._blocks[number - self._start // BLOCK][at : at + b - a]
        joined = np.concatenate([np.empty(0, np.float32), *self.pieces(a, b)])
        joined.flags.writeable = False
        return joined

    def pieces(self, a: int, b: int) -> list[NDArray[np.float32]]:
        """Return samples [a, b) as they lie: read-only arrays, to be read one after another.

        Nothing is copied. IndexError as for `view`.
        """
        if not self._start <= a <= b <= self._end:
            raise IndexError(f"[{a}, {b}) is not within [{self._start}, {self._end})")
        places = range(a - a % BLOCK, b, BLOCK) if a < b else ()
        return [self.view(max(a, place), min(b, place + BLOCK)) for place in places]

    def discard_before(self, index: int) -> None:
        """Forget the samples before `index`; those already gone are no error.

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
            del self._blocks[: index // BLOCK - self._start // BLOCK]
        self._start = index

    def _open_block(self) -> None:
        self._last = np.empty(BLOCK, np.float32)
        block = self._last.view()
        block.flags.writeable = False
        self._blocks.append(block)
