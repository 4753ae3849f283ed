"""Greedy search: the decoder's most likely token, one after another, until it ends by itself.

The graph returns the scores of all tokens, and the choice is made here, which costs no more than
ONNX Runtime's `ArgMax`: so a bias can change the scores, and a token's probability is computed only
if it is wanted. It takes 0.04 ms, or 0.1 to 0.3 ms for a second of audio.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, cast

import numpy as np

from streamer.model import Unwanted
from streamer.models.moonshine.published_weights import PARTS, Sizes
from streamer.models.moonshine.repetition import repeated_tokens
from streamer.onnx.graph import Array, Floats
from streamer.onnx.runtime import OnnxSession

START_TOKEN = 1
END_TOKEN = 2


class TokenBias(Protocol):
    """Makes tokens likelier or less likely; made anew for each search."""

    def adjust(self, logits: Floats) -> None:
        """Change the scores of the next token, float32 [tokens], in place."""
        ...

    def chosen(self, token: int) -> None:
        """Take note of the token that was chosen; called after each `adjust`."""
        ...


class Wanted(NamedTuple):
    """What to keep besides the tokens."""

    log_probabilities: bool = False
    attention: bool = False


NOTHING_ELSE = Wanted()


class CrossAttention(NamedTuple):
    """What the decoder compares at each step: a query with a key of each frame of the audio.

    The attention of a head is the softmax over frames of `query · key / √size`. A frame is 384
    samples.

    Attributes:
        queries: By layer, float32 [steps, heads, size]: a step for each token, and one for the end
            token if the decoder ended.
        keys: By layer, float32 [heads, frames, size].
    """

    queries: Mapping[int, Floats]
    keys: Mapping[int, Floats]


class Decoded(NamedTuple):
    """What a search has found.

    Attributes:
        tokens: Without start and end token.
        ended: Whether the decoder ended by itself.
        log_probabilities: One for each step, as in `CrossAttention`, natural: of the token that was
            chosen, without a bias. Empty if not wanted.
        attention: None if not wanted.
    """

    tokens: list[int]
    ended: bool
    log_probabilities: list[float]
    attention: CrossAttention | None = None


class GreedyDecoder:
    """Searches with one network; not for several threads.

    Args:
        network: Runs `graphs.decoder`.
        sizes: Of the network.
        query_layers: The layers whose queries it returns.
    """

    def __init__(self, network: OnnxSession, sizes: Sizes, query_layers: Sequence[int]) -> None:
        self._network = network
        self._query_layers = query_layers
        self._past = [f"past.{cache}" for cache in sizes.caches]
        self._outputs = ["logits", *(f"present.{cache}" for cache in sizes.caches)]
        self._queries = [f"query.{layer}" for layer in query_layers]
        self._heads = (sizes.heads, sizes.head_size)
        self._empty = np.zeros((1, sizes.heads, 0, sizes.head_size), np.float32)
        self._exponentials = np.zeros(0, np.float32)

    def decode(
        self,
        encoder_caches: Mapping[str, Floats],
        limit: int,
        *,
        stop_at_repetition: bool = False,
        unwanted: Callable[[], bool] = lambda: False,
        wanted: Wanted = NOTHING_ELSE,
        bias: TokenBias | None = None,
    ) -> Decoded:
        """Search until the end token, `limit` tokens, or a repetition.

        Args:
            encoder_caches: The outputs of `graphs.encoder`, by name.
            limit: Tokens.
            stop_at_repetition: Whether to stop when `repeated_tokens` finds one.
            unwanted: As `Model.unwanted`.
            wanted: What to keep besides the tokens.
            bias: Changes the scores before each choice.

        Raises:
            Unwanted: The result is not needed any more.
        """
        inputs: dict[str, Array] = {**encoder_caches, **dict.fromkeys(self._past, self._empty)}
        outputs = self._outputs + (self._queries if wanted.attention else [])
        tokens = [START_TOKEN]
        log_probabilities: list[float] = []
        queries: list[Sequence[Floats]] = []
        ended = False
        while len(tokens) <= limit:
            if unwanted():
                raise Unwanted
            inputs["token"] = np.array([tokens[-1:]])
            inputs["position"] = np.array([len(tokens) - 1])
            scores, *rest = cast("list[Floats]", self._network.run(outputs, inputs))
            logits: Floats = scores[0, 0]
            token = _choose(logits, bias)
            if wanted.log_probabilities:
                log_probabilities.append(self._log_probability(logits, token))
            queries.append(rest[len(self._past) :])
            ended = token == END_TOKEN
            if ended:
                break
            tokens.append(token)
            if stop_at_repetition and repeated_tokens(tokens):
                break
            inputs.update(zip(self._past, rest, strict=False))
        attention = self._attention(queries, encoder_caches) if wanted.attention else None
        return Decoded(tokens[1:], ended, log_probabilities, attention)

    def _log_probability(self, logits: Floats, token: int) -> float:
        if len(self._exponentials) != len(logits):
            self._exponentials = np.empty_like(logits)
        largest = logits.max()
        np.subtract(logits, largest, out=self._exponentials)
        np.exp(self._exponentials, out=self._exponentials)
        return float(logits[token] - largest - np.log(self._exponentials.sum()))

    def _attention(
        self, queries: Sequence[Sequence[Floats]], encoder_caches: Mapping[str, Floats]
    ) -> CrossAttention:
        """The queries of all steps, each [1, 1, width] for each layer, and the keys."""
        by_layer = dict(zip(self._query_layers, zip(*queries, strict=True), strict=False))
        return CrossAttention(
            {
                layer: np.concatenate(steps).reshape(len(steps), *self._heads)
                for layer, steps in by_layer.items()
            },
            {layer: encoder_caches[f"encoder.{layer}.{PARTS[0]}"][0] for layer in by_layer},
        )


def _choose(logits: Floats, bias: TokenBias | None) -> int:
    if bias is None:
        return int(logits.argmax())
    biased = logits.copy()
    bias.adjust(biased)
    token = int(biased.argmax())
    bias.chosen(token)
    return token
