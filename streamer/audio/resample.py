"""One channel's audio at another rate, exact to the sample, wherever the input is cut.

`Resampler` computes it; a `Track` also holds it.
"""

import os
from math import gcd

import numpy as np
import soxr
from numpy.typing import NDArray

from streamer.audio.buffer import SampleBuffer

Samples = NDArray[np.float32]

# soxr filters in blocks and holds samples back until a block is full. Its library reads
# this variable when a stream is created. The smallest block halves the delay (48 kHz to
# 16 kHz: from at most 37 ms to 15 ms; from 8 kHz: 116 ms to 52 ms) for 0.05 ms more CPU
# time per second of audio. python-soxr has no argument for it. A value that is set already
# is kept.
os.environ.setdefault("SOXR_LARGE_DFT_SIZE", "8")

MAX_BLOCK = 2_048
"""Samples given to soxr in one call.

Within soxr a stage takes at most 4 096 samples at a time (`input_size` in libsoxr's cr.c),
and after a larger call a part may stay unprocessed until the next one. Up to this size
every call processes everything, so the output so far depends only on the input so far.
"""

LEAD_IN = 160
"""Samples, at the lower of the two rates, of past input that a stream gets again after a cut.

The HQ filter's response falls below 1e-6 of its peak within 98 of them, measured for
rates from 8 to 192 kHz.
"""

MAX_ALIGNMENT = 1_024
"""Input samples that are searched for one that falls on an output sample (see `_open`)."""

_EMPTY = np.empty(0, np.float32)
_EMPTY.flags.writeable = False


class Resampler:
    """Resamples one channel with soxr's HQ filter, delay compensated.

    Output sample k is the signal at k / output_rate seconds, from the first to the last,
    and after n input samples are flushed exactly round(n * output_rate / input_rate)
    samples have come out (halves up). How the input is cut into `push` calls changes
    neither the values nor the number of values available after a given input sample.

    Samples must be finite: one NaN spoils hundreds of samples around it.
    """

    def __init__(self, input_rate: int, output_rate: int) -> None:
        """Prepare for these rates in Hz; ValueError if one is not positive."""
        if input_rate <= 0 or output_rate <= 0:
            raise ValueError(f"rates must be positive: {input_rate}, {output_rate}")
        self._input_rate = input_rate
        self._output_rate = output_rate
        self._stream: soxr.ResampleStream | None = None
        self._received = 0
        self._emitted = 0
        self._skip = 0  # output samples still to come that were already emitted
        self._finished = False
        self._history = _EMPTY
        lead_in = -(-LEAD_IN * input_rate // min(input_rate, output_rate))
        period = input_rate // gcd(input_rate, output_rate)
        self._lead_in = lead_in
        self._history_size = lead_in + min(period, MAX_ALIGNMENT)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next samples, shape [n]; return those that are ready, shape [m].

        Equal rates return `samples` itself.

        Raises:
            RuntimeError: After `finish`.
            ValueError: `samples` is not one-dimensional.
            TypeError: `samples` is not float32.
        """
        self._check_open()
        (count,) = samples.shape
        if self._input_rate == self._output_rate or not count:
            return samples
        ready: list[NDArray[np.float32]] = []
        if self._stream is None:
            self._stream, lead_in = self._open()
            ready += _feed(self._stream, lead_in)
        ready += _feed(self._stream, samples)
        self._received += count
        self._remember(samples)
        output = ready[0] if len(ready) == 1 else np.concatenate(ready)
        if self._skip:
            skipped = min(self._skip, len(output))
            self._skip -= skipped
            output = output[skipped:]
        self._emitted += len(output)
        return output

    def cut(self) -> NDArray[np.float32]:
        """Return all output that is still due for the input so far; the stream goes on.

        The last few milliseconds before a cut are filtered as if silence followed. Output
        after it is the same as without the cut, at the same places (see `_open` for the
        exception at uncommon rates).

        Raises:
            RuntimeError: After `finish`.
        """
        self._check_open()
        if self._stream is None:
            return _EMPTY
        due = self._place(self._received) - self._emitted
        # Enough silence for two more samples, so that `due` are available however soxr rounds.
        silence = np.zeros(2 * self._input_rate // self._output_rate + 2, np.float32)
        tail: NDArray[np.float32] = self._stream.resample_chunk(silence, last=True)
        self._stream = None
        output = tail[self._skip : self._skip + due]
        self._skip = 0
        self._emitted += due
        return output

    def finish(self) -> NDArray[np.float32]:
        """Return all output that is still due and end the stream; RuntimeError if it has ended."""
        output = self.cut()
        self._finished = True
        self._history = _EMPTY
        return output

    def _check_open(self) -> None:
        if self._finished:
            raise RuntimeError("the resampler has been finished")

    def _place(self, index: int) -> int:
        """Return the output index nearest to an input index, halves up; integers stay exact."""
        return (2 * index * self._output_rate + self._input_rate) // (2 * self._input_rate)

    def _open(self) -> tuple[soxr.ResampleStream, NDArray[np.float32]]:
        """Start soxr anew; return it and the past input it must be given first.

        It starts at an input sample that falls on an output sample, so that the new
        stream's samples lie where the old one's did, and early enough for the filter.
        There is one such sample in each period of the rates' ratio (441 input samples for
        44.1 kHz to 16 kHz, 3 for 48 kHz). For an uncommon rate whose period is longer than
        `MAX_ALIGNMENT`, the nearest one is used: at most half an output sample off, and the
        errors of several cuts do not add up.
        """
        oldest = self._received - len(self._history)
        latest = max(oldest, self._received - self._lead_in)
        candidates = np.arange(oldest, latest + 1)
        after = candidates * self._output_rate % self._input_rate
        origin = int(candidates[np.argmin(np.minimum(after, self._input_rate - after))])
        self._skip = self._emitted - self._place(origin)
        stream = soxr.ResampleStream(self._input_rate, self._output_rate, 1, "float32", "HQ")
        return stream, self._history[origin - oldest :]

    def _remember(self, samples: NDArray[np.float32]) -> None:
        size = self._history_size
        if len(samples) >= size:
            self._history = samples[-size:].copy()  # a view would keep all of them in memory
        else:
            self._history = np.concatenate((self._history, samples))[-size:]


def _feed(stream: soxr.ResampleStream, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    blocks = range(0, len(samples), MAX_BLOCK)
    return [stream.resample_chunk(samples[first : first + MAX_BLOCK]) for first in blocks]


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
