"""Whether a token gets the same bits in every pass: tried, because it depends on more than graphs.

ONNX Runtime has several pieces of code for one operator. Which one runs depends on the processor,
and on the number of rows.
"""

from itertools import accumulate, pairwise

import numpy as np

from streamer.models.moonshine.passes import DecoderNetwork
from streamer.models.moonshine.published_weights import Sizes
from streamer.models.moonshine.steps import Pass, Step
from streamer.onnx.graph import Floats

LENGTHS = ((50, 0), (420, 250))
"""Frames of audio, and tokens that were written already: few, and so many that sums over them have
several parts."""

DIVISIONS = ((17,), (1, 2, 14), (5, 1, 11))
"""Tokens of the passes in which the same text is read."""

READ = 17
"""Tokens, the sum of each."""

LARGEST_TOKEN = 30_000


def rows_are_exact(network: DecoderNetwork) -> bool:
    """Whether passes of all lengths return the same for the same tokens."""
    chance, sizes = np.random.default_rng(0), network.sizes
    for frames, written in LENGTHS:
        audio = {f"encoder.{cache}": _states(chance, frames, sizes) for cache in sizes.caches}
        past = [_states(chance, written, sizes) for _ in sizes.caches]
        before = Step(Pass([0] * written, 0, np.zeros((0, 0), np.float32), past, []), written - 1)
        tokens: list[int] = chance.integers(3, LARGEST_TOKEN, READ).tolist()
        read = [_read(network, audio, tokens, before, division) for division in DIVISIONS]
        if any(not np.array_equal(one, other) for one, other in pairwise(read)):
            return False
    return True


def _states(chance: np.random.Generator, length: int, sizes: Sizes) -> Floats:
    return chance.standard_normal((1, sizes.heads, length, sizes.head_size)).astype(np.float32)


def _read(
    network: DecoderNetwork,
    audio: dict[str, Floats],
    tokens: list[int],
    before: Step,
    division: tuple[int, ...],
) -> Floats:
    """The logits of tokens that are read in several passes: float32 [tokens, vocabulary]."""
    logits = []
    for begin, end in pairwise(accumulate(division, initial=0)):
        outputs = network.run(audio, tokens[begin:end], before)
        logits.append(outputs.logits)
        before = Step(outputs, end - begin - 1)
    return np.concatenate(logits)
