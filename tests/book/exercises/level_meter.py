"""A level meter whose state is outside of it."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

State = object
"""Replace this by what your meter has to remember. It must survive `pickle`."""


def measure(samples: Samples, state: State | None) -> tuple[float, State]:
    """Return the level after these samples, and the state for the next call.

    The level follows the square of the samples: it begins at 0.0, and each sample x moves it to
    0.99 * level + 0.01 * x². Where the stream is cut into calls must not matter.

    Args:
        samples: float32 [n], the next of the stream; n may be 0.
        state: What the last call returned; None = the stream begins. It must not be changed: the
            caller may use it again, if the result of this call is discarded.
    """
    raise NotImplementedError
