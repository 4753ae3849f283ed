"""A linear resampler for streams."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class LinearResampler:
    """Brings one stream to another rate by drawing lines between samples.

    Output sample k is the signal at k / output_rate seconds: the value on the line between the
    input samples before and after this time. At the time of an input sample, it is that sample.
    Where the input is cut into calls changes neither values, not even their last bit, nor when they
    come. A stream may be long, so count in whole numbers.

    Args:
        input_rate: Hz.
        output_rate: Hz.
    """

    def __init__(self, input_rate: int, output_rate: int) -> None:
        raise NotImplementedError

    def push(self, samples: Samples) -> Samples:
        """Take the next samples, [n]; return all output that these and earlier ones determine."""
        raise NotImplementedError
