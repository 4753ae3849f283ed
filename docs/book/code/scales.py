"""What is left of the encoder's second convolution in 8 bits, by what shares a scale."""

import numpy as np
import soundfile
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from streamer.models.moonshine import graphs
from streamer.models.moonshine.convolutions import STRIDES
from streamer.models.moonshine.published_weights import LARGEST, PublishedWeights
from streamer.weights.manifest import require

Floats = NDArray[np.float32]
SECONDS = 10


def rows(channels: Floats, taps: int, stride: int) -> Floats:
    """The inputs of each output side by side: [outputs, channels * taps]."""
    windows = sliding_window_view(channels, taps, axis=1)[:, ::stride]
    return np.ascontiguousarray(windows.transpose(1, 0, 2)).reshape(windows.shape[1], -1)


def in_8_bits(values: Floats, axis: int | None) -> Floats:
    """Rounded to 255 steps, of one size for all, or for each row (1) or column (0)."""
    largest = np.abs(values).max(axis=axis, keepdims=True)
    step = np.maximum(largest, 1e-30) / LARGEST
    return np.rint(values / step) * step


folder = require("moonshine-tiny-en")
weights = PublishedWeights(folder / graphs.ENCODER)
first, second = (weights.floats(f"conv{number}.weight") for number in (1, 2))
audio, rate = soundfile.read(folder / "two_cities.wav", dtype="float32")
samples = soxr.resample(audio, rate, 16_000)[: SECONDS * 16_000]
waves = np.tanh(rows(samples[None], first.shape[2], STRIDES[0]) @ first.reshape(len(first), -1).T)
inputs = rows(waves.T, second.shape[2], STRIDES[1])
matrix = second.reshape(len(second), -1).T
exact = inputs @ matrix


def errors(left: Floats, right: Floats) -> tuple[float, float]:
    """Of each output vector, in percent of its length: the median, and the worst tenth begins."""
    lengths = np.linalg.norm(exact, axis=1)
    found = 100 * np.linalg.norm(left @ right - exact, axis=1) / lengths
    return float(np.median(found)), float(np.quantile(found, 0.9))


print("scales of                 median error, %  worst tenth, %")
for name, left, right in (
    ("inputs: one", in_8_bits(inputs, None), matrix),
    ("inputs: one for each row", in_8_bits(inputs, 1), matrix),
    ("weights: one", inputs, in_8_bits(matrix, None)),
    ("weights: one per column", inputs, in_8_bits(matrix, 0)),
    ("each row, each column", in_8_bits(inputs, 1), in_8_bits(matrix, 0)),
):
    median, worst = errors(left, right)
    print(f"{name:24}  {median:15.1f}  {worst:14.1f}")
