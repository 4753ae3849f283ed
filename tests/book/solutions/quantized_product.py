"""Symmetric, with a scale for each row of one side and each column of the other."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]
LARGEST = 127


def quantize(matrix: Floats) -> tuple[Bytes, Floats]:
    """The largest value of each column becomes 127."""
    scales = (np.abs(matrix).max(axis=0) / LARGEST).astype(np.float32)
    scales[scales == 0] = 1
    return np.rint(matrix / scales).astype(np.int8), scales


def product(rows: Floats, values: Bytes, scales: Floats) -> Floats:
    """A row is a column of the transposed matrix."""
    whole, row_scales = quantize(rows.T)
    sums = whole.T.astype(np.int32) @ values.astype(np.int32)
    result: Floats = (sums * row_scales[:, np.newaxis] * scales).astype(np.float32)
    return result
