"""One channel's recent samples, addressed by their place in the stream."""

import numpy as np
from numpy.typing import NDArray

INITIAL_CAPACITY = 8_192
"""Samples a buffer has room for at first, and never shrinks below: 0.5 s at 16 kHz, 32 KiB."""


class SampleBuffer:
    """A contiguous run of float32 samples, indexed from the start of the stream.

    The samples held are [start, end). New ones are appended at `end`, old ones discarded
    from `start`; an index always means the same sample. Each sample is moved a bounded
    number of times on average, however the calls come.
    """

    def __init__(self) -> None:
        self._data = np.empty(INITIAL_CAPACITY, np.float32)
        self._first = 0  # where in _data the sample `start` is
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
        held = len(self)
        if self._first + held + count > len(self._data):
            self._make_room(held + count)
        tail = self._first + held
        self._data[tail : tail + count] = samples
        self._end += count

    def view(self, a: int, b: int) -> NDArray[np.float32]:
        """Return samples [a, b) without copying: read-only and valid until the next append.

        Raises:
            IndexError: Not all of [a, b) is held, or b < a.
        """
        samples = self._slice(a, b)
        samples.flags.writeable = False
        return samples

    def copy(self, a: int, b: int) -> NDArray[np.float32]:
        """Return samples [a, b) in a new array; IndexError as for `view`."""
        return self._slice(a, b).copy()

    def discard_before(self, index: int) -> None:
        """Forget the samples before `index`; those already gone are no error.

        Raises:
            IndexError: `index` is beyond `end`.
        """
        if index > self._end:
            raise IndexError(f"cannot discard before {index}: the samples end at {self._end}")
        if index <= self._start:
            return
        self._first += index - self._start
        self._start = index
        # A quarter leaves room to grow again, so that one long segment after another
        # does not reallocate at every turn.
        if len(self._data) > INITIAL_CAPACITY and len(self) * 4 <= len(self._data):
            self._reallocate(len(self))

    def _slice(self, a: int, b: int) -> NDArray[np.float32]:
        if not self._start <= a <= b <= self._end:
            raise IndexError(f"[{a}, {b}) is not within [{self._start}, {self._end})")
        offset = self._first - self._start
        return self._data[a + offset : b + offset]

    def _make_room(self, needed: int) -> None:
        if needed * 3 // 2 > len(self._data):
            self._reallocate(needed)
            return
        # A third of the array has been discarded since the last move: that pays for moving the
        # samples still held, which are at most twice as many.
        held = len(self)
        self._data[:held] = self._data[self._first : self._first + held]
        self._first = 0

    def _reallocate(self, needed: int) -> None:
        # A new array rather than a resize: views given out before keep the old one alive.
        held = len(self)
        data = np.empty(max(INITIAL_CAPACITY, needed * 3 // 2), np.float32)
        data[:held] = self._data[self._first : self._first + held]
        self._data = data
        self._first = 0
