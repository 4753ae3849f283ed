"""Greedy search: the decoder's most likely token, one after another, until it ends by itself.

The graph returns the scores of all tokens, and the choice is made here, which costs no more than
ONNX Runtime's `ArgMax`: so a bias can change the scores, key terms can be compared with the choice,
and a token's probability is computed only if it is requested. It takes 0.04 ms, or 0.1 to 0.3 ms
for a second of audio.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple, Protocol

import numpy as np

from streamer.model import Unwanted
from streamer.models.moonshine.draft import Draft
from streamer.models.moonshine.key_terms import KeyTerms
from streamer.models.moonshine.passes import DecoderNetwork, Passes
from streamer.models.moonshine.published_weights import PARTS
from streamer.models.moonshine.repetition import repeated_tokens
from streamer.models.moonshine.steps import Step
from streamer.models.moonshine.term_search import TermSearch
from streamer.onnx.graph import Floats

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


class SearchStopped(Unwanted):
    """The search has not ended, because its result is not needed.

    Args:
        tokens: What it would probably have found.
    """

    def __init__(self, tokens: Sequence[int]) -> None:
        super().__init__()
        self.tokens = tokens


class ExtraOutputs(NamedTuple):
    """What to keep besides the tokens."""

    log_probabilities: bool = False
    attention: bool = False


TOKENS_ONLY = ExtraOutputs()


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
            chosen, without a bias. Empty if not requested.
        attention: None if not requested.
    """

    tokens: list[int]
    ended: bool
    log_probabilities: list[float]
    attention: CrossAttention | None = None


class _Chosen(NamedTuple):
    """What is kept of a step: its token's log probability if requested, and its queries."""

    log_probability: float
    queries: Sequence[Floats]


class GreedyDecoder:
    """Searches with one network; not for several threads.

    Args:
        network: The decoder's.
        guesses: Whether tokens that probably follow may share a pass. Without it, each has its own.

    Attributes:
        network: The decoder's.
    """

    def __init__(self, network: DecoderNetwork, *, guesses: bool = True) -> None:
        self.network = network
        self._guesses = guesses
        self._heads = (network.sizes.heads, network.sizes.head_size)
        self._exponentials = np.zeros(0, np.float32)

    def decode(
        self,
        encoder_caches: Mapping[str, Floats],
        limit: int,
        *,
        stop_at_repetition: bool = False,
        unwanted: Callable[[], bool] = lambda: False,
        extra: ExtraOutputs = TOKENS_ONLY,
        bias: TokenBias | None = None,
        key_terms: KeyTerms | None = None,
        draft: Sequence[int] = (),
    ) -> Decoded:
        """Search until the end token, `limit` tokens, or a repetition.

        Args:
            encoder_caches: The outputs of `graphs.encoder`, by name.
            limit: Tokens.
            stop_at_repetition: Whether to stop when `repeated_tokens` finds one.
            unwanted: As `Model.unwanted`.
            extra: What to keep besides the tokens.
            bias: Changes the scores before each choice.
            key_terms: Phrases that are likelier than usual; None = none.
            draft: What will probably be found. It saves time, and changes nothing else.

        Raises:
            SearchStopped: The result is not needed any more.
        """
        tokens = [START_TOKEN]
        guesses = Draft(draft)

        def check() -> None:
            if unwanted():
                raise SearchStopped([*tokens[1:], *guesses.rest])

        passes = Passes(
            self.network,
            encoder_caches,
            queries=extra.attention,
            guesses=self._guesses,
            check=check,
        )
        search = TermSearch(key_terms, passes.run, END_TOKEN) if key_terms else None
        chosen: list[_Chosen] = []
        step = passes.start
        ended = False
        while len(tokens) <= limit:
            step = passes.run(tokens[-1], step, guesses.guess()[: limit - len(tokens) + 1])
            token = _choose(step.logits, bias)
            while search and (phrase := search.on_step(step, token)):
                last = [] if token == END_TOKEN else [token]
                guesses.replaced([*tokens[phrase.position + 1 :], *last])
                del tokens[phrase.position + 1 :], chosen[phrase.position :]
                tokens += phrase.tokens
                *before, step = phrase.steps
                chosen += map(self._chosen, before, phrase.tokens, repeat(extra))
                token = _choose(step.logits, bias)
            chosen.append(self._chosen(step, token, extra))
            ended = token == END_TOKEN
            if ended:
                break
            tokens.append(token)
            guesses.wrote(token)
            if stop_at_repetition and repeated_tokens(tokens):
                break
        probabilities = [each.log_probability for each in chosen] if extra.log_probabilities else []
        queries = [each.queries for each in chosen]
        attention = self._attention(queries, encoder_caches) if extra.attention else None
        return Decoded(tokens[1:], ended, probabilities, attention)

    def _chosen(self, step: Step, token: int, extra: ExtraOutputs) -> "_Chosen":
        probability = self._log_probability(step.logits, token) if extra.log_probabilities else 0.0
        return _Chosen(probability, step.queries)

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
        by_layer = dict(zip(self.network.query_layers, zip(*queries, strict=True), strict=False))
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
