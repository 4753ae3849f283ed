"""Bytes from the wire to float32 samples per channel, wherever the bytes are cut."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.audio.format import AudioFormat

MAX_MAGNITUDE = 2.0**32
"""Largest magnitude accepted in a float sample; beyond it the sample is bad.

Full scale is 1.0, and even a client that sends 32-bit integer values as floats stays
below 2**31. Larger values are not audio, and although finite they overflow float32 in
the sums of a resampler or a model, which makes NaN of every sample nearby.
"""

_Convert = Callable[[bytes, int], NDArray[np.float32]]


class PcmDecoder:
    """Decodes one stream of interleaved audio; where the bytes are cut does not matter.

    Integers are divided by 2**(bits - 1), which is exact up to the rounding of 32-bit
    integers to float32's 24 significant bits; unsigned 8-bit is centred on 128 first.
    Floats are unchanged, except for bad ones.
    """

    def __init__(self, fmt: AudioFormat) -> None:
        """Prepare for `fmt`; ValueError if it has a `problem`."""
        if problem := fmt.problem(max_channels=fmt.channels):
            raise ValueError(problem)
        self.bad_samples = 0
        """Samples zeroed so far: NaN, infinite, or beyond `MAX_MAGNITUDE`."""
        self._channels = fmt.channels
        self._sample_bytes = fmt.bytes_per_sample
        self._frame_bytes = fmt.bytes_per_frame
        self._pending = b""
        self._convert = self._converter(fmt)
        self._simple = fmt.channels == 1 and self._convert is _from_int16

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that is not complete."""
        return len(self._pending)

    def decode(self, data: bytes) -> NDArray[np.float32]:
        """Decode the next bytes of the stream.

        Args:
            data: Any number of bytes, cut anywhere, even inside a sample.

        Returns:
            A new array, float32 [channels, frames], with every frame that is complete now.
            C-contiguous: each channel is one contiguous row.
        """
        # This runs 50 times a second per stream: the most common format takes a shorter path.
        if self._simple and not self._pending and not len(data) & 1:
            return _from_int16(data, len(data) >> 1).reshape(1, -1)
        block = self._pending + data if self._pending else data
        used = len(block) - len(block) % self._frame_bytes
        self._pending = block[used:]
        if not used:
            return np.empty((self._channels, 0), np.float32)
        samples = self._convert(block, used // self._sample_bytes)
        return np.ascontiguousarray(samples.reshape(-1, self._channels).T)

    def _converter(self, fmt: AudioFormat) -> _Convert:
        if fmt.encoding == "mulaw":
            return _from_table(MULAW)
        if fmt.encoding == "alaw":
            return _from_table(ALAW)
        if fmt.is_float:
            return self._from_float64 if fmt.bit_depth == 64 else self._from_float32
        integers = {8: _from_table(_UINT8), 16: _from_int16, 24: _from_int24, 32: _from_int32}
        return integers[fmt.bit_depth]

    def _from_float32(self, block: bytes, count: int) -> NDArray[np.float32]:
        samples, bad = clean_floats(np.frombuffer(block, _FLOAT32, count))
        self.bad_samples += bad
        return samples

    def _from_float64(self, block: bytes, count: int) -> NDArray[np.float32]:
        samples, bad = clean_floats(np.frombuffer(block, _FLOAT64, count))
        self.bad_samples += bad
        return samples


def clean_floats(
    samples: NDArray[np.float32] | NDArray[np.float64],
) -> tuple[NDArray[np.float32], int]:
    """Make float samples of any shape safe to process.

    Returns:
        A new float32 array in which NaN, infinite and samples beyond `MAX_MAGNITUDE` are
        zero and all others unchanged, and how many were zeroed.
    """
    magnitudes = np.abs(samples)
    # NaN carries through max() and fails the comparison. This comes before the cast to
    # float32, which then cannot overflow.
    if magnitudes.max(initial=0.0) <= MAX_MAGNITUDE:
        return samples.astype(np.float32), 0
    good = magnitudes <= MAX_MAGNITUDE
    bad = samples.size - int(np.count_nonzero(good))
    return np.where(good, samples, 0.0).astype(np.float32), bad


_FLOAT32 = np.dtype("<f4")
_FLOAT64 = np.dtype("<f8")
_INT16 = np.dtype("<i2")
_INT32 = np.dtype("<i4")
_SCALE16 = np.float32(2.0**-15)
_SCALE32 = np.float32(2.0**-31)


def _from_int16(block: bytes, count: int) -> NDArray[np.float32]:
    samples = np.frombuffer(block, _INT16, count).astype(np.float32)
    samples *= _SCALE16
    return samples


def _from_int24(block: bytes, count: int) -> NDArray[np.float32]:
    # The three bytes become the upper ones of an int32, so that the sign is in its place. The
    # value is then 256 times larger, which the scale of 32-bit samples corrects.
    padded = np.zeros((count, 4), np.uint8)
    padded[:, 1:] = np.frombuffer(block, np.uint8, count * 3).reshape(count, 3)
    samples = padded.view(_INT32).reshape(count).astype(np.float32)
    samples *= _SCALE32
    return samples


def _from_int32(block: bytes, count: int) -> NDArray[np.float32]:
    samples = np.frombuffer(block, _INT32, count).astype(np.float32)
    samples *= _SCALE32
    return samples


def _from_table(table: NDArray[np.float32]) -> _Convert:
    return lambda block, count: table.take(np.frombuffer(block, np.uint8, count))


def _mulaw_table() -> NDArray[np.float32]:
    """Return the value of each mu-law code, full scale 1.0.

    ITU-T G.711 (11/88), tables 2a and 2b: codes are sent inverted; then a sign (1 is
    negative), a segment of 3 bits and a step of 4. The steps of each segment are twice as
    large as those of the segment before, offset by 33 in the 14-bit scale of the tables, 132
    in 16 bits.
    """
    code = ~np.arange(256, dtype=np.uint8)
    segment = (code >> 4 & 7).astype(np.int32)
    step = (code & 15).astype(np.int32)
    magnitude = ((step * 8 + 132) << segment) - 132
    return (np.where(code & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def _alaw_table() -> NDArray[np.float32]:
    """Return the value of each A-law code, full scale 1.0.

    ITU-T G.711 (11/88), tables 1a and 1b: even bits are sent inverted (0x55); then a
    sign (1 is positive), a segment of 3 bits and a step of 4. The first two segments
    have equal steps, each later one has steps twice as large; a value is the middle of its
    step. The 13-bit scale of the tables is multiplied by 8, to 16 bits.
    """
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = (code >> 4 & 7).astype(np.int32)
    step = (code & 15).astype(np.int32)
    magnitude = (step * 16 + 8 + np.where(segment > 0, 256, 0)) << np.maximum(segment - 1, 0)
    return (np.where(code & 0x80, magnitude, -magnitude) / 32768).astype(np.float32)


MULAW = _mulaw_table()
"""float32 value of each of the 256 mu-law codes."""

ALAW = _alaw_table()
"""float32 value of each of the 256 A-law codes."""

_UINT8 = ((np.arange(256) - 128) / 128).astype(np.float32)
