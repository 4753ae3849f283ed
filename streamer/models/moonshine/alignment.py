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

VALUES_AT_ONCE = 1 << 19
"""Values of attention, float32, that are computed at once: as many heads as fit in 2 MB, the cache
of a core. All heads of a minute would take 40 MB and a third more time."""


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
    heads, tokens, size = queries.shape
    frames = keys.shape[1]
    group = max(1, min(heads, VALUES_AT_ONCE // max(1, tokens * frames)))
    space = np.empty((group, tokens, frames), np.float32)
    total = np.zeros((tokens, frames), np.float32)
    for first in range(0, heads, group):
        chosen = slice(first, first + group)
        scaled = queries[chosen] / np.float32(size**0.5)
        weights = np.matmul(scaled, keys[chosen].transpose(0, 2, 1), out=space[: len(scaled)])
        total += _normalized(weights)
    total /= heads
    return total


def _normalized(logits: Floats) -> Floats:
    """The sum of the heads' normalized attention; float32 [heads, tokens, frames] is overwritten.

    Softmax divides by a sum, which normalization takes away again: the mean is 1 / frames.
    """
    frames = logits.shape[2]
    logits -= logits.max(axis=2, keepdims=True)
    weights = np.exp(logits, out=logits)
    sums = weights @ np.ones(frames, np.float32)
    variances = np.vecdot(weights, weights) / sums**2 / frames - 1 / frames**2
    factors = 1 / np.maximum(np.sqrt(np.maximum(variances, 0)), MIN_DEVIATION)
    if len(weights) == 1:  # in place, which is twice as fast
        weights *= (factors / sums)[:, :, None]
        weighted: Floats = weights[0]
    else:
        weighted = np.einsum("ht,htf->tf", factors / sums, weights)
    weighted -= factors.sum(axis=0)[:, None] / frames
    return weighted


def best_path(values: Floats) -> list[Frames]:
    """The path through [tokens, frames] with the highest sum: right, down, or both at once.

    It passes every row; it may begin and end in any column. A row at a time: the best sum that ends
    in a column is the row's sum up to there, plus the best of what there was at an earlier column
    less the row's sum before that one.
    """
    tokens = len(values)
    if not tokens:
        return []
    costs = -values.astype(np.float64)
    sums = costs.cumsum(axis=1)
    entering = costs - sums  # cheapest way to enter a row in this column
    totals = np.empty_like(costs)  # cheapest way to this place
    for row in range(tokens):
        if row:
            above = totals[row - 1]
            entering[row, 0] += above[0]
            entering[row, 1:] += np.minimum(above[1:], above[:-1])
        np.minimum.accumulate(entering[row], out=totals[row])
        totals[row] += sums[row]
    path: list[Frames] = []
    last = int(totals[-1].argmin())
    for row in range(tokens - 1, -1, -1):
        first = int(entering[row, : last + 1].argmin())
        path.append(Frames(first, last))
        diagonal = row and first and totals[row - 1, first - 1] <= totals[row - 1, first]
        last = first - 1 if diagonal else first
    return path[::-1]
