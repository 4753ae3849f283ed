"""When was each token spoken?"""

from collections.abc import Sequence
from typing import NamedTuple


class Frames(NamedTuple):
    """The first frame of a token and the last."""

    first: int
    last: int


def token_frames(scores: Sequence[Sequence[float]]) -> list[Frames]:
    """The frames of each token, in order, with the highest sum of scores.

    Each token has one frame or more, without a gap. A token begins at the frame after the last one
    of the token before it. The first token may begin, and the last one may end, at any frame: what
    is outside belongs to no token, and counts nothing. Of several best paths, any will do.

    Args:
        scores: How much each token attends to each frame: [tokens][frames]. There are at least as
            many frames as tokens. There may be no tokens at all, and there may be thousands of
            frames, too many for trying all paths.
    """
    raise NotImplementedError
