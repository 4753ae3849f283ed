"""Products of integers for products of floats."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]


def quantize(matrix: Floats) -> tuple[Bytes, Floats]:
    """A matrix [inputs, outputs] in 8 bits, with a scale for each column.

    Returns:
        Values from -127 to 127, and the scales, float32 [outputs]: `values * scales` is the matrix,
        wrong by at most half a scale. The largest value of a column is 127 or -127. A column of
        zeros has values of 0 and any scale that is above 0.
    """
    raise NotImplementedError


def product(rows: Floats, values: Bytes, scales: Floats) -> Floats:
    """Rows [n, inputs] times a quantized matrix: float32 [n, outputs].

    Each row gets 8 bits as well, with a scale of its own, so that it does not depend on the others.
    Sums are exact: they are sums of whole numbers, in a type that is large enough.
    """
    raise NotImplementedError
