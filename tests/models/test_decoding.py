"""Greedy search over a network whose scores are given: tokens, and what is requested besides."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pytest

from streamer.model import Unwanted
from streamer.models.moonshine.decoding import END_TOKEN, ExtraOutputs, GreedyDecoder
from streamer.models.moonshine.passes import DecoderNetwork
from streamer.models.moonshine.published_weights import Sizes
from streamer.onnx.graph import Floats
from streamer.onnx.runtime import OnnxSession

SIZES = Sizes(layers=2, width=32)
SCORES = np.random.default_rng(1).normal(size=(9, 40)).astype(np.float32)
SCORES[:, END_TOKEN] = -50
SCORES[4, END_TOKEN] = 50
BEST = [int(row.argmax()) for row in SCORES[:4]]
KEYS = {
    f"encoder.{layer}.{part}": np.full((1, 8, 3, 4), layer, np.float32)
    for layer in range(2)
    for part in ("key", "value")
}


class Network:
    """The scores of each position; keeps what was asked for."""

    def __init__(self) -> None:
        self.outputs: list[Sequence[str]] = []
        self.tokens: list[int] = []

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Floats]) -> list[Floats]:
        self.outputs.append(outputs)
        (tokens,) = inputs["tokens"].tolist()
        self.tokens += tokens
        position = int(inputs["position"][0])
        assert inputs["past.0.key"].shape == (1, 8, position, 4)
        end = position + len(tokens)
        queries = np.tile(10 * np.arange(position, end, dtype=np.float32)[:, np.newaxis], 32)
        made = {
            "logits": SCORES[np.newaxis, position:end],
            **{f"query.{n}": queries[np.newaxis] + n for n in (0, 1)},
        }
        grown = np.zeros((1, 8, end, 4), np.float32)
        return [made.get(name, grown) for name in outputs]


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def decoder(network: Network) -> GreedyDecoder:
    return GreedyDecoder(DecoderNetwork(cast("OnnxSession", network), SIZES, [1]))


def test_the_likeliest_tokens_until_the_end(network: Network, decoder: GreedyDecoder) -> None:
    found = decoder.decode(KEYS, 8)
    assert (found.tokens, found.ended) == (BEST, True)
    assert network.tokens == [1, *BEST]
    assert (found.log_probabilities, found.attention) == ([], None)
    assert {name for outputs in network.outputs for name in outputs if "query" in name} == set()


def test_the_limit_is_one_of_tokens(decoder: GreedyDecoder) -> None:
    found = decoder.decode(KEYS, 3)
    assert (found.tokens, found.ended) == (BEST[:3], False)


def test_log_probabilities_are_those_of_all_steps(decoder: GreedyDecoder) -> None:
    found = decoder.decode(KEYS, 8, extra=ExtraOutputs(log_probabilities=True))
    wide = SCORES[:5].astype(np.float64)
    expected = wide.max(axis=1) - np.log(np.exp(wide).sum(axis=1))
    np.testing.assert_allclose(found.log_probabilities, expected, atol=1e-5)


def test_queries_are_those_of_the_chosen_layers(decoder: GreedyDecoder) -> None:
    attention = decoder.decode(KEYS, 8, extra=ExtraOutputs(attention=True)).attention
    assert attention is not None
    assert attention.queries.keys() == attention.keys.keys() == {1}
    assert attention.queries[1].shape == (5, 8, 4)
    assert attention.queries[1][:, 0, 0].tolist() == [1, 11, 21, 31, 41]
    assert attention.keys[1].shape == (8, 3, 4)


class Towards:
    """A bias towards one token."""

    def __init__(self, token: int) -> None:
        self.token = token
        self.chosen_tokens: list[int] = []

    def adjust(self, logits: Floats) -> None:
        logits[self.token] += 100

    def chosen(self, token: int) -> None:
        self.chosen_tokens.append(token)


def test_a_bias_chooses_and_leaves_the_probabilities_as_they_are(decoder: GreedyDecoder) -> None:
    before = SCORES.copy()
    bias = Towards(6)
    found = decoder.decode(KEYS, 2, bias=bias, extra=ExtraOutputs(log_probabilities=True))
    assert found.tokens == bias.chosen_tokens == [6, 6]
    expected = [row[6] - np.log(np.exp(row.astype(np.float64)).sum()) for row in SCORES[:2]]
    np.testing.assert_allclose(found.log_probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(before, SCORES)


def test_what_is_not_needed_is_given_up_between_steps(
    network: Network, decoder: GreedyDecoder
) -> None:
    with pytest.raises(Unwanted):
        decoder.decode(KEYS, 8, unwanted=lambda: len(network.tokens) == 2)
    assert len(network.tokens) == 2
