"""A network over a vocabulary of a few letters, for tests of search: quick, and as uncertain as can
be. Its caches hold the tokens that it was given, so that it notices another search's caches.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from streamer.models.moonshine.byte_pair_encoding import FIRST_PIECE, BytePairEncoder
from streamer.models.moonshine.decoding import END_TOKEN, START_TOKEN, GreedyDecoder
from streamer.models.moonshine.passes import DecoderNetwork
from streamer.models.moonshine.published_weights import Sizes
from streamer.onnx.graph import Array, Floats

TEXTS = ["▁a", "▁b", "ab", "▁ab", "bc", "▁", "a", "b", "c", ".", "▁c"]
PIECES = [b"<unk>", b"<s>", b"</s>", *(bytes([byte]) for byte in range(256))]
PIECES += [text.encode() for text in TEXTS]
SCORED = len(PIECES) + 2
"""Tokens that have scores: more than there are pieces, as with Base."""
BYTE_PAIR_ENCODER = BytePairEncoder(PIECES)
SPOKEN = [END_TOKEN, *range(FIRST_PIECE, len(PIECES))]
SIZES = Sizes(layers=1, width=8)


class SmallNetwork:
    """Scores that depend on all tokens before, and on a seed.

    Attributes:
        runs: How often it was run.
        rows: For how many tokens.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.runs = self.rows = 0

    def logits(self, history: Sequence[int]) -> Floats:
        """Float32 [tokens], after these tokens."""
        random = np.random.default_rng([self._seed, *history])
        logits = np.full(SCORED, -30, np.float32)
        logits[SPOKEN] = random.normal(0, 2.5, len(SPOKEN))
        logits[END_TOKEN] += len(history) / 3 - 3
        return logits

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, Array]) -> Sequence[Array]:
        """As the decoder's graph."""
        assert outputs is not None
        self.runs += 1
        past, tokens, position = (inputs[name] for name in ("past.0.key", "tokens", "position"))
        assert past.shape[2] == position[0]
        shape = (1, SIZES.heads, tokens.shape[1], SIZES.head_size)
        new = np.broadcast_to(tokens[:, np.newaxis, :, np.newaxis], shape).astype(np.float32)
        present = np.concatenate([past, new], axis=2)
        history = [int(value) for value in present[0, 0, :, 0]]
        ends = range(past.shape[2] + 1, len(history) + 1)
        logits = np.stack([self.logits(history[:end]) for end in ends])
        self.rows += len(ends)
        return [logits[np.newaxis], present, present][: len(outputs)]

    def get_inputs(self) -> Sequence[Any]:
        """Not needed."""
        return []

    def get_outputs(self) -> Sequence[Any]:
        """Not needed."""
        return []

    def decoder(self) -> GreedyDecoder:
        """A search with this network."""
        return GreedyDecoder(DecoderNetwork(self, SIZES, []))

    def log_probabilities(self, tokens: Sequence[int]) -> list[float]:
        """Of each token after those before it."""
        whole = [START_TOKEN, *tokens]
        return [
            log_probability(self.logits(whole[: at + 1]), token) for at, token in enumerate(tokens)
        ]


def log_probability(logits: Floats, token: int) -> float:
    """Of one token."""
    largest = logits.max()
    return float(logits[token] - largest - np.log(np.exp(logits - largest).sum()))


def text_of(tokens: Sequence[int]) -> str:
    """What the tokens spell."""
    return b"".join(PIECES[token] for token in tokens).decode().replace("▁", " ")
