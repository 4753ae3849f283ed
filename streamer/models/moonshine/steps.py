"""One run of the decoder: what the searches share."""

from collections.abc import Sequence
from typing import NamedTuple

from streamer.onnx.graph import Floats


class Step(NamedTuple):
    """What the network returned for a token.

    Attributes:
        logits: Float32 [tokens], of the token that follows.
        caches: Keys and values of all tokens so far; the network gets them for the next one.
        queries: Of the layers whose queries are requested, float32 [1, 1, width] each.
    """

    logits: Floats
    caches: Sequence[Floats]
    queries: Sequence[Floats] = ()
