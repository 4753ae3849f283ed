"""The blocks of a transformer with quantized products, in ONNX Runtime's own operators.

The operators are described at
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from streamer.onnx.graph import MICROSOFT, Graph
from streamer.onnx.ort_weights import Quantized

ROTATED = 32
"""Of each head; as pairs of neighbours, by the angles of Su et al., 2021 (RoFormer,
https://arxiv.org/abs/2104.09864)."""

MOST_POSITIONS = 4_096
EPSILON = 1e-5

SIGN = np.uint8(0x80)


class Blocks:
    """Adds them to a graph. States are float32 [1, length, width].

    Processors have instructions for products of uint8 and int8, and those of uint8 and uint8 take
    2.5 times as long. But before VNNI they saturate, and the sums are wrong.

    Args:
        graph: To be added to.
        heads: Of attention.
        signed: Turn the matrices, which come as uint8, into the same ones as int8.
    """

    def __init__(self, graph: Graph, heads: int, *, signed: bool) -> None:
        self.graph = graph
        self._heads = heads
        self._signed = signed
        pairs = ROTATED // 2
        angles = np.outer(np.arange(MOST_POSITIONS), 10_000.0 ** (-np.arange(pairs) / pairs))
        self._angles = [graph.constant(f(angles).astype(np.float32)) for f in (np.cos, np.sin)]

    def product(self, states: str, matrix: Quantized) -> str:
        """States times a matrix, and its bias."""
        inputs = [states, *self._constants(matrix)]
        if matrix.bias is not None:
            inputs.append(self.graph.constant(matrix.bias))
        return self.graph.add("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)

    def products(self, states: str, matrices: Sequence[Quantized]) -> list[str]:
        """States times each of some matrices; the states are quantized once."""
        values, scale, zero_point = self.graph.add_many("DynamicQuantizeLinear", [states], 3)
        results = []
        for matrix in matrices:
            other, other_scale, other_zero = self._constants(matrix)
            inputs = [values, other, scale, other_scale, zero_point, other_zero]
            if matrix.bias is not None:
                inputs.append(self.graph.constant(matrix.bias))
            results.append(self.graph.add("MatMulIntegerToFloat", *inputs, domain=MICROSOFT))
        return results

    def rotated(self, states: str, first_position: str) -> str:
        """Queries or keys with their positions in the angles of their pairs."""
        return self.graph.add(
            "RotaryEmbedding",
            states,
            first_position,
            *self._angles,
            domain=MICROSOFT,
            interleaved=1,
            num_heads=self._heads,
            rotary_embedding_dim=ROTATED,
        )

    def attention(self, inputs: Sequence[str], caches: str = "") -> str:
        """Of queries to keys and values.

        Args:
            inputs: Those three; keys and values as states, or float32 [1, heads, length, size].
            caches: Keys and values go on from `past.{caches}.key` and `.value`, and are given as
                `present.…`.
        """
        outputs = [""]
        if caches:
            parts = [f"{caches}.{part}" for part in ("key", "value")]
            inputs = [*inputs, "", "", "", *(f"past.{part}" for part in parts)]
            outputs += [f"present.{part}" for part in parts]
        outputs[0] = mixed = self.graph.new_name()
        self.graph.add_many(
            "MultiHeadAttention", inputs, outputs, domain=MICROSOFT, num_heads=self._heads
        )
        return mixed

    def norm(self, states: str, factors: npt.NDArray[np.generic]) -> str:
        """Layer normalization."""
        factor = self.graph.constant(factors)
        return self.graph.add("LayerNormalization", states, factor, axis=-1, epsilon=EPSILON)

    def add_and_norm(
        self, states: str, change: str, factors: npt.NDArray[np.generic]
    ) -> tuple[str, str]:
        """States and a change; returns them normalized, and as they are."""
        inputs = [states, change, self.graph.constant(factors)]
        norm, total = self.graph.new_name(), self.graph.new_name()
        self.graph.add_many(
            "SkipLayerNormalization", inputs, [norm, "", "", total], MICROSOFT, epsilon=EPSILON
        )
        return norm, total

    def _constants(self, matrix: Quantized) -> list[str]:
        values, zero_point = matrix.values, matrix.zero_point
        if self._signed:
            values, zero_point = (
                np.bitwise_xor(a, SIGN).view(np.int8) for a in (values, zero_point)
            )
        return [self.graph.constant(each) for each in (values, matrix.scale, zero_point)]
