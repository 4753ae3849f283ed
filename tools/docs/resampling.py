"""Three ways to change a sample rate, and what each leaves of a tone; for the book."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from streamer.audio.resample import Resampler

Samples = NDArray[np.float32]

FROM_HZ, TO_HZ = 44_100, 16_000
SECONDS = 1.0


def _places() -> NDArray[np.float64]:
    """Where each output sample lies, in input samples."""
    return np.arange(int(SECONDS * TO_HZ), dtype=np.float64) * (FROM_HZ / TO_HZ)


def _nearest(samples: Samples) -> Samples:
    indices: NDArray[np.int64] = np.minimum(np.rint(_places()), len(samples) - 1).astype(np.int64)
    return samples[indices]


def _linear(samples: Samples) -> Samples:
    return np.interp(_places(), np.arange(len(samples)), samples).astype(np.float32)


def _soxr(samples: Samples) -> Samples:
    resampler = Resampler(FROM_HZ, TO_HZ)
    return np.concatenate((resampler.push(samples), resampler.finish()))


METHODS: Mapping[str, Callable[[Samples], Samples]] = {
    "nearest": _nearest,
    "linear": _linear,
    "soxr HQ": _soxr,
}
"""From float32 [n] at `FROM_HZ` to float32 [m] at `TO_HZ`."""


def level_db(method: str, tone_hz: float) -> float:
    """The level of what is left of a tone, in decibels of its own level; at least -120.

    Args:
        method: A name in `METHODS`.
        tone_hz: Frequency of the tone. Above 8 000 Hz, all that is left is an alias.
    """
    times = np.arange(int(SECONDS * FROM_HZ)) / FROM_HZ
    tone = np.sin(2 * np.pi * tone_hz * times).astype(np.float32)
    output = METHODS[method](tone)
    inner = slice(TO_HZ // 10, -TO_HZ // 10)  # the ends have the step from and to silence
    power = float(np.mean(np.square(output[inner], dtype=np.float64))) / 0.5
    return 10 * math.log10(max(power, 1e-12))
