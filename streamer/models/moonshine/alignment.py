"""Which frames of the audio each token was written for: dynamic time warping over attention.

As in Whisper's `timing.py` (Radford et al., 2022, https://arxiv.org/abs/2212.04356), with two
differences: there is no median filter, which blurs more than it helps, and the heads are chosen for
each model; that the choice matters most is shown by Yeh et al., 2025
(https://arxiv.org/abs/2509.09987).
"""

from typing import NamedTuple

import numpy as np

from streamer.onnx.graph import Floats

MIN_DEVIATION = 1e-6
"""Standard deviation of a token's attention over the frames, at least: 0 would attend to all alike.
"""


class Frames(NamedTuple):
    """The first frame of a token, and the last, both within the encoder's frames."""

    first: int
    last: int


def align(queries: Floats, keys: Floats, *, first_frame: int = 0) -> list[Frames]:
    """The frames of each token, in order: a token begins no earlier than the one before ends.

    Args:
        queries: float32 [heads, tokens, head size], of the chosen cross-attention heads.
        keys: float32 [heads, frames, head size], of the same heads.
        first_frame: Frames before this one belong to no token.

    Returns:
        One for each token. Two tokens share a frame at most where one ends and the next begins, or
        when there are more tokens than frames.
    """
    first_frame = max(0, min(first_frame, keys.shape[1] - 1))
    path = best_path(scores(queries, keys[:, first_frame:]))
    return [Frames(first + first_frame, last + first_frame) for first, last in path]


def scores(queries: Floats, keys: Floats) -> Floats:
    """How much each token attends to each frame: float32 [tokens, frames].

    The mean over the heads of their attention, each normalized along the frames to a mean of 0 and
    a standard deviation of 1.

    Args:
        queries: float32 [heads, tokens, head size].
        keys: float32 [heads, frames, head size].
    """
    heads, _, size = queries.shape
    frames = keys.shape[1]
    weights = (queries / np.float32(size**0.5)) @ keys.transpose(0, 2, 1)
    weights -= weights.max(axis=2, keepdims=True)
    np.exp(weights, out=weights)
    # Softmax divides by the sum, so that the mean is 1 / frames; all in as few passes as it takes.
    sums = weights.sum(axis=2)
    squares = np.einsum("htf,htf->ht", weights, weights) / sums**2
    variances = np.maximum(squares / frames - 1 / frames**2, 0)
    factors = 1 / (np.maximum(np.sqrt(variances), MIN_DEVIATION) * heads)
    means = factors.sum(axis=0)[:, None] / frames
    normalized: Floats = np.einsum("ht,htf->tf", factors / sums, weights) - means
    return normalized


def best_path(values: Floats) -> list[Frames]:
    """The path through [tokens, frames] with the highest sum: right, down, or both at once.

    It passes every row; it may begin and end in any column. A row at a time: the best sum that ends
    in a column is the row's sum up to there, plus the best of what there was at an earlier column
    less the row's sum before that one.
    """
    tokens, frames = values.shape
    if not tokens:
        return []
    costs = -values.astype(np.float64)
    sums = costs.cumsum(axis=1)
    entering = np.empty_like(costs)  # cheapest way to enter a row in this column
    totals = np.empty_like(costs)  # cheapest way to this place
    for row in range(tokens):
        above = np.zeros(frames) if row == 0 else totals[row - 1].copy()
        if row:
            np.minimum(above[1:], totals[row - 1, :-1], out=above[1:])
        entering[row] = above - (sums[row] - costs[row])
        totals[row] = sums[row] + np.minimum.accumulate(entering[row])
    path: list[Frames] = []
    last = int(totals[-1].argmin())
    for row in range(tokens - 1, -1, -1):
        first = int(entering[row, : last + 1].argmin())
        path.append(Frames(first, last))
        diagonal = row and first and totals[row - 1, first - 1] <= totals[row - 1, first]
        last = first - 1 if diagonal else first
    return path[::-1]
