"""The blocks of a transformer with quantized products, in ONNX Runtime's own operators.

The operators are described at
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streamer.models.moonshine.published_weights import LARGEST
from streamer.onnx.graph import MICROSOFT, Graph
from streamer.onnx.ort_weights import Quantized

ROTARY_SIZE = 32
"""Values of each head that carry the position: pairs of neighbours are rotated by the angles of
Su et al., 2021 (RoFormer, https://arxiv.org/abs/2104.09864)."""

MAX_POSITIONS = 4_096
"""States; enough for 98 s of audio."""

EPSILON = 1e-5

SIGN = np.uint8(0x80)


class QuantizedStates(NamedTuple):
    """Names of tensors: uint8 of any shape, and their scale and zero point."""

    values: str
    scale: str
    zero_point: str


class Blocks:
    """Adds blocks to a graph. States are float32 [1, length, width].

    Processors have instructions for products of uint8 and int8; products of uint8 and uint8 take
    2.5 times as long. But processors without VNNI saturate, and their sums are wrong.

    Args:
        graph: The graph to add to.
        heads: Number of attention heads.
        signed: Store the matrices as int8, and otherwise as uint8 of the same values.
    """

    def __init__(self, graph: Graph, heads: int, *, signed: bool) -> None:
        self.graph = graph
        self._heads = heads
        self._signed = signed
        pairs = ROTARY_SIZE // 2
        angles = np.outer(np.arange(MAX_POSITIONS), 10_000.0 ** (-np.arange(pairs) / pairs))
        self._angles = [graph.constant(f(angles).astype(np.float32)) for f in (np.cos, np.sin)]

    def product(self, states: str, matrix: Quantized) -> str:
        """States times a matrix, plus its bias."""
        inputs = [states, *self._constants(matrix)]
        if matrix.bias is not None:
            inputs.append(self.graph.constant(matrix.bias))
        return self.graph.add("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)

    def products(self, states: str, matrices: Sequence[Quantized]) -> list[str]:
        """States times each matrix, plus its bias; the states are quantized only once."""
        quantized = self.quantized(states)
        return [self.multiplied(quantized, matrix) for matrix in matrices]

    def quantized(self, states: str) -> "QuantizedStates":
        """Float32 of any shape as uint8 with one scale, which is that of these states."""
        return QuantizedStates(*self.graph.add_many("DynamicQuantizeLinear", [states], 3))

    def up_to_one(self, states: str) -> "QuantizedStates":
        """Float32 from -1 to 1, of any shape, as uint8."""
        scale = self.graph.constant(np.full((), 1 / LARGEST, np.float32))
        zero_point = self.graph.constant(np.full((), SIGN, np.uint8))
        values = self.graph.add("QuantizeLinear", states, scale, zero_point)
        return QuantizedStates(values, scale, zero_point)

    def multiplied(self, states: "QuantizedStates", matrix: Quantized) -> str:
        """Quantized states times a matrix, plus its bias: float32."""
        other, other_scale, other_zero = self._constants(matrix)
        inputs = [states.values, other, states.scale, other_scale, states.zero_point, other_zero]
        if matrix.bias is not None:
            inputs.append(self.graph.constant(matrix.bias))
        return self.graph.add("MatMulIntegerToFloat", *inputs, domain=MICROSOFT)

    def rotated(self, states: str, first_position: str) -> str:
        """Queries or keys, rotated by their positions. `first_position` is int64 [1]."""
        return self.graph.add(
            "RotaryEmbedding",
            states,
            first_position,
            *self._angles,
            domain=MICROSOFT,
            interleaved=1,
            num_heads=self._heads,
            rotary_embedding_dim=ROTARY_SIZE,
        )

    def attention(self, inputs: Sequence[str], caches: str = "") -> str:
        """Attention of queries to keys and values.

        Args:
            inputs: Queries, keys and values; the last two as states, or float32
                [1, heads, length, size].
            caches: Keys and values continue `past.{caches}.key` and `.value`; both together are
                the outputs `present.…`. A query then attends to no key behind its own. Empty = no
                caches, and every query attends to all keys.
        """
        outputs = [""]
        if caches:
            parts = [f"{caches}.{part}" for part in ("key", "value")]
            inputs = [*inputs, "", "", "", *(f"past.{part}" for part in parts)]
            outputs += [f"present.{part}" for part in parts]
        outputs[0] = mixed = self.graph.new_name()
        self.graph.add_many(
            "MultiHeadAttention",
            inputs,
            outputs,
            domain=MICROSOFT,
            num_heads=self._heads,
            unidirectional=int(bool(caches)),
        )
        return mixed

    def norm(self, states: str, factors: npt.NDArray[np.generic]) -> str:
        """Layer normalization."""
        factor = self.graph.constant(factors)
        return self.graph.add("LayerNormalization", states, factor, axis=-1, epsilon=EPSILON)

    def add_and_norm(
        self, states: str, change: str, factors: npt.NDArray[np.generic]
    ) -> tuple[str, str]:
        """The sum of states and a change; returns it normalized, and as it is.

        `SkipLayerNormalization`, which does both, takes several times as long for many rows.
        """
        total = self.graph.add("Add", states, change)
        return self.norm(total, factors), total

    def _constants(self, matrix: Quantized) -> list[str]:
        values, zero_point = matrix.values, matrix.zero_point
        stored = np.int8 if self._signed else np.uint8
        if values.dtype != stored:  # both types' values are 128 apart
            values, zero_point = (
                np.bitwise_xor(a.view(np.uint8), SIGN).view(stored) for a in (values, zero_point)
            )
        return [self.graph.constant(each) for each in (values, matrix.scale, zero_point)]
