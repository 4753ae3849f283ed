"""Moonshine's published weights, by the names that Tiny's files give them.

Tiny's matrices are uint8, multiplied as such in its files, and are used as they are. Base's are
int8 with an offset that is a float, `scale * values + offset`; its graphs unpack them to float32.
Products of integers have no such offset, so Base's matrices are quantized again: without offset,
but with a scale for each column instead of one for the whole matrix.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from streamer.onnx.graph import Array, Floats
from streamer.onnx.ort_weights import Quantized, Weights

HEADS = 8
"""Of both models; not in the files."""

PARTS = ("key", "value")

LARGEST = 127
"""Absolute value of int8 that has a negative counterpart."""

SYNONYMS = (("o_proj", "dense"), ("fc1", "up_proj"), ("fc2", "down_proj"))
"""Names of matrices in Tiny's files, and of the same ones in Base's."""

EMBEDDING = "model.decoder.embed_tokens.weight_merged_0"
TRANSPOSED_EMBEDDING = "model.decoder.embed_tokens.weight_transposed"
"""In Base, the matrix of the scores: computed from the embedding, not stored."""


class Sizes(NamedTuple):
    """Of encoder and decoder."""

    layers: int
    width: int
    heads: int = HEADS

    @property
    def head_size(self) -> int:
        """Values of each head."""
        return self.width // self.heads

    @property
    def caches(self) -> list[str]:
        """Names of the decoder's keys and values, each float32 [1, heads, length, head size].

        `past.…` and `present.…` are those for the tokens so far, `encoder.…` those for the audio.
        """
        return [f"{layer}.{part}" for layer in range(self.layers) for part in PARTS]


class PublishedWeights:
    """The weights of encoder or decoder.

    Args:
        path: An .ort file.

    Raises:
        ValueError: The file is not an .ort file, or is damaged. All methods: it is of another
            model.
    """

    def __init__(self, path: Path) -> None:
        self._file = Weights(path)

    def sizes(self) -> Sizes:
        """The sizes that the encoder's weights have."""
        width = self._file["layers.0.post_attention_layernorm.weight"].shape[0]
        norms = re.compile(r"layers\.\d+\.post_attention_layernorm\.weight")
        return Sizes(sum(bool(norms.fullmatch(name)) for name in self._file.names()), width)

    def __getitem__(self, tensor: str) -> Array:
        """A tensor, as it is stored."""
        return self._file[tensor]

    def floats(self, tensor: str) -> Floats:
        """A tensor as float32, which may be stored as int8."""
        for name in (tensor, f"{tensor}_add_tensor"):
            if name in self._file.names():
                return self._file[name].astype(np.float32)
        stored = (self._file[f"{tensor}_{part}"] for part in _QUANTIZED_PARTS)
        values, scale, offset = (each.astype(np.float32) for each in stored)
        return values * scale + offset

    def operand(self, node: str) -> Floats:
        """The tensor that a node of the graph adds or multiplies with."""
        stored = [name for name in self._file.inputs(node) if name in self._file.names()]
        return self.floats(stored[0] if stored else node)

    def embedding(self) -> tuple[Array, Array, Array, Array | None]:
        """A row for each token, its scale, zero point, and what to add to `scale * row`."""
        values, scale, offset = (self._file[f"{EMBEDDING}_{part}"] for part in _QUANTIZED_PARTS)
        if offset.dtype == np.uint8:
            return values, scale, offset, None
        return values, scale.reshape(()), np.zeros((), values.dtype), offset

    def matrix(self, node: str) -> Quantized:
        """The matrix, and the bias, of the product with this name."""
        if not (name := self._float_product(node)):
            return self._file.matrix(node)
        (operand,) = self._file.inputs(f"{name}/MatMul")[1:]
        if operand == TRANSPOSED_EMBEDDING:
            matrix = self.floats(EMBEDDING).T
        else:
            matrix = self.floats(operand.removesuffix("_add_tensor"))
        added = self._file.inputs(f"{name}/Add")
        bias = next((self._file[each] for each in added if each in self._file.names()), None)
        return requantized(matrix, bias)

    def _float_product(self, node: str) -> str | None:
        """The name, in this file, of a product that is not one of integers."""
        names = [node, *(node.replace(*synonym) for synonym in SYNONYMS)]
        return next((name for name in names if self._file.inputs(f"{name}/MatMul")), None)


_QUANTIZED_PARTS = ("quantized", "scale", "zero_point")


def requantized(matrix: Floats, bias: Array | None = None) -> Quantized:
    """Float32 [inputs, outputs] as int8, symmetric, with a scale for each column."""
    scale = np.asarray(np.abs(matrix).max(axis=0) / LARGEST, np.float32)
    scale[scale == 0] = 1
    values = np.rint(matrix / scale).astype(np.int8)
    return Quantized(values, scale, np.zeros(len(scale), np.int8), bias)
