"""Runs the decoder's graph, for one token or for several at once.

A pass over several tokens costs little more than one over a single token. The tokens behind the
first one are guesses. `Passes.run` returns one step at a time, and a step that was guessed right is
there already; a wrong guess is never seen. So a search finds the same with good guesses, with bad
ones and with none, because a token's scores do not depend on others in its pass (`row_blocks.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from streamer.models.moonshine.published_weights import Sizes
from streamer.models.moonshine.steps import Pass, Step
from streamer.onnx.graph import Array, Floats
from streamer.onnx.runtime import OnnxSession

NO_GUESS: Sequence[int] = ()


class DecoderNetwork:
    """The decoder's graph; not for several threads.

    Args:
        session: Runs `graphs.decoder`.
        sizes: Of the network.
        query_layers: The layers whose queries it returns.

    Attributes:
        sizes: Of the network.
        query_layers: The layers whose queries it returns.
        runs: How often it was run.
    """

    def __init__(self, session: OnnxSession, sizes: Sizes, query_layers: Sequence[int]) -> None:
        self.sizes = sizes
        self.query_layers = query_layers
        self.runs = 0
        self._session = session
        self._past = [f"past.{cache}" for cache in sizes.caches]
        self._outputs = ["logits", *(f"present.{cache}" for cache in sizes.caches)]
        self._queries = [f"query.{layer}" for layer in query_layers]
        empty = np.zeros((1, sizes.heads, 0, sizes.head_size), np.float32)
        nothing = Pass([], 0, np.zeros((0, 0), np.float32), [empty] * len(sizes.caches), [])
        self.start = Step(nothing, -1)
        """Before the first token."""

    def run(
        self,
        encoder_caches: Mapping[str, Floats],
        tokens: Sequence[int],
        before: Step,
        *,
        queries: bool = False,
    ) -> Pass:
        """Run the network.

        Args:
            encoder_caches: The outputs of `graphs.encoder`, by name.
            tokens: At least one.
            before: The step that they follow.
            queries: Whether the queries are needed.
        """
        self.runs += 1
        position = before.position + 1
        inputs: dict[str, Array] = {
            **encoder_caches,
            **dict(zip(self._past, before.caches, strict=True)),
            "tokens": np.array([tokens]),
            "position": np.array([position]),
        }
        outputs = self._outputs + (self._queries if queries else [])
        logits, *rest = cast("list[Floats]", self._session.run(outputs, inputs))
        caches = len(self._past)
        return Pass(tokens, position, logits[0], rest[:caches], rest[caches:])


class Passes:
    """The runs of one search.

    Args:
        network: The decoder's.
        encoder_caches: The outputs of `graphs.encoder`, by name.
        queries: Whether the queries are needed.
        guesses: Whether a pass may have more than one token.
        check: Called before each run; may raise, to end the search.

    Attributes:
        start: The step before the first token.
    """

    def __init__(
        self,
        network: DecoderNetwork,
        encoder_caches: Mapping[str, Floats],
        *,
        queries: bool,
        guesses: bool,
        check: Callable[[], None],
    ) -> None:
        self.start = network.start
        self._network = network
        self._encoder_caches = encoder_caches
        self._with_queries = queries
        self._guesses = guesses
        self._check = check

    def run(self, token: int, before: Step, guess: Sequence[int] = NO_GUESS) -> Step:
        """The step of a token.

        Args:
            token: It follows `before`.
            before: Any step of this search.
            guess: The tokens that may follow; they share its pass.
        """
        if known := before.known(token):
            return known
        self._check()
        tokens = [token, *guess] if self._guesses else [token]
        outputs = self._network.run(
            self._encoder_caches, tokens, before, queries=self._with_queries
        )
        return Step(outputs, 0)
