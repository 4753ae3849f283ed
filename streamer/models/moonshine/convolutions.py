"""The encoder's convolutions: samples to a state for each 384 of them.

The second of the three is a product of integers, because as a convolution of floats it takes as
long as all products of six layers. The third stays one of floats: its inputs have channels whose
largest values are 400 times as large as those of others, and too little is left of 8 bits.

The rows of a convolution's product are its inputs side by side ("im2col", Chellapilla et al., 2006,
https://inria.hal.science/inria-00112631).
"""

import numpy as np

from streamer.models.moonshine.blocks import Blocks
from streamer.models.moonshine.published_weights import PublishedWeights, Sizes, requantized
from streamer.onnx.graph import MICROSOFT, Floats, Graph

STRIDES = (64, 3, 2)
"""Of the three convolutions; their product is a state's samples."""

EPSILON = 1e-5
"""Added to the variance of the waves."""

TINY = 1e-30
"""In the place of the largest value of a row of zeros, which is divided by it."""

TO_THE_END = np.iinfo(np.int64).max


def convolutions(blocks: Blocks, weights: PublishedWeights, size: Sizes) -> str:
    """`samples` [n] to states [1, n / 384, width]: three convolutions and a normalization."""
    graph = blocks.graph
    audio = graph.add("Reshape", "samples", graph.constant(np.array([1, 1, -1])))
    kernel = graph.constant(weights.floats("conv1.weight"))
    waves = graph.add(
        "FusedConv", audio, kernel, domain=MICROSOFT, strides=[STRIDES[0]], activation="Tanh"
    )
    states = _normalized_product(blocks, waves, weights, size)
    states = graph.add("Gelu", states, domain=MICROSOFT)
    kernel3 = weights.floats("conv3.weight")
    rows = _side_by_side(graph, states, kernel3.shape[2], STRIDES[2])
    states = graph.add("MatMul", rows, graph.constant(_as_matrix(kernel3)))
    states = graph.add("Add", states, graph.constant(weights["conv3.bias"]))
    states = graph.add("Gelu", states, domain=MICROSOFT)
    return graph.add("Unsqueeze", states, graph.constant(np.array([0])))


def _normalized_product(blocks: Blocks, waves: str, weights: PublishedWeights, size: Sizes) -> str:
    """The normalization of the waves [1, width, m], and the second convolution: [m / 3, 2 width].

    With the mean m, the deviation d, and a factor f and an offset o for each channel, the
    convolution with the weights w is ∑ w ((x - m) / d f + o) = (∑ w f x) / d + c - m / d ∑ w f.
    The sum over x is the product; all else are a few numbers for each output.
    """
    graph = blocks.graph
    kernel = weights.floats("conv2.weight")
    factors, offsets = (
        weights.operand(f"/groupnorm/{node}").reshape(-1) for node in ("Mul", "Add")
    )
    matrix = _as_matrix(kernel * factors[:, np.newaxis])
    balance = _balance(kernel * factors[:, np.newaxis])
    by_row = np.tile(balance, kernel.shape[2])[:, np.newaxis]
    quantized = requantized(matrix / by_row)
    used = quantized.values.astype(np.float32) * quantized.scale.astype(np.float32) * by_row
    constant = weights["conv2.bias"] + (kernel * offsets[:, np.newaxis]).sum((1, 2))

    mean = graph.add("ReduceMean", waves, keepdims=0)
    squares = graph.add("ReduceSumSquare", waves, keepdims=0)
    count = graph.add("Cast", graph.add("Size", waves), to=1)
    variance = graph.add("Sub", graph.add("Div", squares, count), graph.add("Mul", mean, mean))
    epsilon = graph.constant(np.full((), EPSILON, np.float32))
    deviation = graph.add("Sqrt", graph.add("Add", variance, epsilon))
    shift = graph.add(
        "Mul", graph.add("Div", mean, deviation), graph.constant(used.sum(0, dtype=np.float32))
    )
    added = graph.add("Sub", graph.constant(constant.astype(np.float32)), shift)

    balanced = graph.add("Mul", waves, graph.constant(balance[:, np.newaxis]))
    largest = _largest(graph, balanced, kernel.shape[2], STRIDES[1])
    states = graph.add("Transpose", balanced, perm=[0, 2, 1])
    states = graph.add("Reshape", states, graph.constant(np.array([-1, size.width])))
    rows = graph.add("Div", _side_by_side(graph, states, kernel.shape[2], STRIDES[1]), largest)
    product = blocks.multiplied(blocks.up_to_one(rows), quantized)
    scaled = graph.add("Mul", product, graph.add("Div", largest, deviation))
    return graph.add("Add", scaled, added)


def _largest(graph: Graph, waves: str, taps: int, stride: int) -> str:
    """The largest absolute value in each row of a convolution over waves: [rows, 1].

    With one scale for all rows, little is left of those in a pause: `docs/book/code/scales.py`.
    """
    of_frame = graph.add("ReduceMax", graph.add("Abs", waves), axes=[1], keepdims=1)
    of_row = graph.add("MaxPool", of_frame, kernel_shape=[taps], strides=[stride])
    column = graph.add("Reshape", of_row, graph.constant(np.array([-1, 1])))
    return graph.add("Max", column, graph.constant(np.full((), TINY, np.float32)))


def _balance(kernel: Floats) -> Floats:
    """Factors of the inputs' channels, by which the weights are divided.

    Inputs share one scale, and weights have one for each output. With the root of a channel's
    largest weight, both have about the same range (Xiao et al., 2023, SmoothQuant,
    https://arxiv.org/abs/2211.10438; here from the weights alone, as `tanh` bounds the inputs).

    Args:
        kernel: Float32 [outputs, channels, taps].
    """
    largest = np.abs(kernel).max(axis=(0, 2))
    return np.where(largest > 0, np.sqrt(largest), 1).astype(np.float32)


def _as_matrix(kernel: Floats) -> Floats:
    """A kernel [outputs, channels, taps] as the matrix [taps * channels, outputs] of a product."""
    outputs = kernel.shape[0]
    return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, outputs))


def _side_by_side(graph: Graph, rows: str, taps: int, stride: int) -> str:
    """Rows [n, channels] to [(n - taps) // stride + 1, taps * channels]."""
    zero, step = graph.constant(np.array([0])), graph.constant(np.array([stride]))

    def from_tap(tap: int) -> str:
        end = tap + 1 - taps
        limits = (graph.constant(np.array([at])) for at in (tap, end or TO_THE_END))
        return graph.add("Slice", rows, *limits, zero, step)

    return graph.add("Concat", *map(from_tap, range(taps)), axis=1)
