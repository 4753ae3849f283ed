"""Blocks in which a token gets the same bits in every pass, alone or beside any others.

Two things let a row depend on the others. `Blocks` quantizes all states of a pass with one scale;
here each row has its own, which is exact, because the scale of a row can be taken out of its sums.
And ONNX Runtime multiplies a single row with a matrix of floats by other code than several rows,
with another order of sums. So attention gets one query more than there are tokens, and its result
is left out.

Then a pass may verify a draft: several tokens cost little more than one, since the weights are read
once (Leviathan et al., 2023, "Fast Inference from Transformers via Speculative Decoding",
https://arxiv.org/abs/2211.17192).
"""

from collections.abc import Sequence

import numpy as np

from streamer.models.moonshine.blocks import Blocks
from streamer.models.moonshine.published_weights import Sizes
from streamer.onnx.graph import Graph
from streamer.onnx.ort_weights import Quantized


class RowBlocks(Blocks):
    """Adds blocks to a graph. States are float32 [1, tokens, width].

    Args:
        graph: The graph to add to.
        sizes: Of the network.
        signed: As for `Blocks`.
    """

    def __init__(self, graph: Graph, sizes: Sizes, *, signed: bool) -> None:
        super().__init__(graph, sizes.heads, signed=signed)
        self._another_query = graph.constant(np.zeros((1, 1, sizes.width), np.float32))
        self._slice = [graph.constant(np.array([number])) for number in (0, -1, 1)]

    def product(self, states: str, matrix: Quantized) -> str:
        """States times a matrix, plus its bias; each row is quantized by itself.

        Of a row of zeros, which no network here has, the product is its bias: whatever integers
        come of the division by zero, they are multiplied by zero.
        """
        graph, bias = self.graph, matrix.bias
        largest = graph.add("ReduceMax", graph.add("Abs", states), axes=[-1], keepdims=1)
        quantized = self.up_to_one(graph.add("Div", states, largest))
        without_bias = Quantized(matrix.values, matrix.scale, matrix.zero_point, None)
        product = graph.add("Mul", self.multiplied(quantized, without_bias), largest)
        return product if bias is None else graph.add("Add", product, graph.constant(bias))

    def products(self, states: str, matrices: Sequence[Quantized]) -> list[str]:
        """States times each matrix, all of one size and without a bias; they are one product."""
        product = self.product(states, _joined(matrices))
        return [*self.graph.add_many("Split", [product], len(matrices), axis=-1)]

    def attention(self, inputs: Sequence[str], caches: str = "") -> str:
        """As that of `Blocks`; a token's result does not depend on how many there are."""
        query, *others = inputs
        queries = self.graph.add("Concat", query, self._another_query, axis=1)
        mixed = super().attention([queries, *others], caches)
        begin, end, axis = self._slice
        return self.graph.add("Slice", mixed, begin, end, axis)


def _joined(matrices: Sequence[Quantized]) -> Quantized:
    """Matrices of one type side by side. Each column keeps its scale and its zero point."""
    assert all(matrix.bias is None for matrix in matrices)
    columns = [
        [
            np.broadcast_to(each, matrix.values.shape[1])
            for each in (matrix.scale, matrix.zero_point)
        ]
        for matrix in matrices
    ]
    scales, zero_points = zip(*columns, strict=True)
    values = np.concatenate([matrix.values for matrix in matrices], axis=1)
    return Quantized(values, np.concatenate(scales), np.concatenate(zero_points), None)
