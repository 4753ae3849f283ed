"""Cut a stream into equal chunks, wherever its pieces are cut."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class Chunker:
    """The chunks of one stream.

    Args:
        size: Samples in a chunk; at least 1.
    """

    def __init__(self, size: int) -> None:
        raise NotImplementedError

    def push(self, piece: Samples) -> list[Samples]:
        """Take the next samples, [n], also none at all; return the chunks that are full now.

        The caller may overwrite `piece` afterwards.
        """
        raise NotImplementedError

    def finish(self) -> Samples | None:
        """End the stream; return what is left as a shorter chunk. None = nothing is left."""
        raise NotImplementedError
