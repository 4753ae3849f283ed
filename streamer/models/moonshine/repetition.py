"""Repetition: a decoder that repeats itself, or a person who does.

Greedy search sometimes ends in a loop: the same tokens until the limit. People repeat themselves,
too, and the probabilities are the same: in a loop the mean log probability is -0.1, as in speech.
The audio differs. A decoder that gets a few seconds of it at a time transcribes what is
in them; so a repetition is a reason to decode shorter pieces, and not to drop anything.
"""

from collections.abc import Sequence

import numpy as np

from streamer.onnx.graph import Floats

MAX_UNIT = 16
"""Tokens of the longest phrase whose repetition is noticed."""

SHORT_UNIT, SHORT_REPEATS, LONG_REPEATS = 4, 8, 4
"""A phrase of up to 4 tokens counts as repeated from 8 times on, a longer one from 4 times on."""

CUT_FRAME, CUT_HOP = 1_600, 160
"""Samples: 0.1 s, which is longer than the silence before a `t`, and 0.01 s."""


def repeated_tokens(tokens: Sequence[int], *, repeats: int | None = None) -> int:
    """Number of tokens at the end that only repeat the ones before. 0 = no repetition.

    Args:
        tokens: All tokens.
        repeats: How many times a phrase must be there. None = as `SHORT_REPEATS` and
            `LONG_REPEATS`.
    """
    for size in range(1, min(MAX_UNIT, len(tokens) // 2) + 1):
        least = repeats or (SHORT_REPEATS if size <= SHORT_UNIT else LONG_REPEATS)
        count = 0
        for token, before in zip(reversed(tokens), reversed(tokens[:-size]), strict=False):
            if token != before:
                break
            count += 1
        if count >= (least - 1) * size:
            return count
    return 0


def quietest_point(samples: Floats) -> int:
    """Where to cut float32 [n] at 16 kHz: the quietest tenth of a second of the middle third.

    Raises:
        ValueError: There are fewer than 0.3 s.
    """
    first, last = len(samples) // 3, 2 * len(samples) // 3
    squared = np.square(samples[first:last], dtype=np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(squared, CUT_FRAME)[::CUT_HOP]
    return first + int(frames.sum(axis=1).argmin()) * CUT_HOP + CUT_FRAME // 2
