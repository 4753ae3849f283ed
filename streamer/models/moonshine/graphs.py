"""Moonshine's graphs, written anew around the published weights.

The published graphs were exported from PyTorch operator by operator: most of the decoder's 896
nodes for each token compute shapes, slice and pad, and take as long as the 49 products. The graphs
here have 119 nodes, with ONNX Runtime's own operators for rotary positions, attention and
normalization. The products and their weights are the same; words differ only where rounding does.

Network: Jeffries et al., 2024 (https://arxiv.org/abs/2410.15608): 6 layers each, 288 wide.
"""

from pathlib import Path

import numpy as np

from streamer.models.moonshine.blocks import Blocks
from streamer.onnx.graph import FLOAT, INT, MICROSOFT, Graph
from streamer.onnx.ort_weights import Weights

LAYERS, HEADS, HEAD_SIZE = 6, 8, 36

CACHES = [f"{layer}.{part}" for layer in range(LAYERS) for part in ("key", "value")]
"""Names of the decoder's keys and values: `past.…` and `present.…` for the tokens so far,
`encoder.…` for the audio. Each is float32 [1, heads, length, head size]."""

ENCODER, DECODER = "encoder_model.ort", "decoder_model_merged.ort"


def encoder(folder: Path, *, signed: bool) -> bytes:
    """`samples` float32 [n] → `encoder.…`, the decoder's keys and values for the audio.

    Args:
        folder: Holds the published files.
        signed: Whether the weights of products are stored as int8; see `Blocks`.

    Raises:
        ValueError: A file is not the published one.
    """
    weights, graph = Weights(folder / ENCODER), Graph()
    blocks = Blocks(graph, HEADS, signed=signed)
    states = _convolutions(graph, weights)
    beginning = graph.constant(np.zeros(1, np.int64))
    norm = blocks.norm(states, weights["layers.0.input_layernorm.weight"])
    for layer in range(LAYERS):
        name = f"layers.{layer}"
        matrices = [weights.matrix(f"/{name}/self_attn/{part}_proj") for part in "qkv"]
        query, key, value = blocks.products(norm, matrices)
        query, key = blocks.rotated(query, beginning), blocks.rotated(key, beginning)
        mixed = blocks.attention([query, key, value])
        change = blocks.product(mixed, weights.matrix(f"/{name}/self_attn/o_proj"))
        factors = weights[f"{name}.post_attention_layernorm.weight"]
        norm, states = blocks.add_and_norm(states, change, factors)
        wide = blocks.product(norm, weights.matrix(f"/{name}/mlp/fc1"))
        wide = graph.add("Gelu", wide, domain=MICROSOFT)
        change = blocks.product(wide, weights.matrix(f"/{name}/mlp/fc2"))
        following = f"layers.{layer + 1}.input_layernorm" if layer + 1 < LAYERS else "layer_norm"
        norm, states = blocks.add_and_norm(states, change, weights[f"{following}.weight"])
    _encoder_caches(blocks, norm, Weights(folder / DECODER))
    return graph.model({"samples": FLOAT}, {f"encoder.{cache}": FLOAT for cache in CACHES})


def decoder(folder: Path, *, signed: bool) -> bytes:
    """One step: `token` int64 [1, 1], `position` int64 [1] and the caches → `next`, `present.…`.

    `next` int64 [1, 1] is the most likely token. Arguments and errors are those of `encoder`.
    """
    weights, graph = Weights(folder / DECODER), Graph()
    blocks = Blocks(graph, HEADS, signed=signed)

    def factors(of: str) -> str:
        return f"model.decoder.{of}.weight_merged_0"

    states = _embedding(graph, weights, factors("embed_tokens"))
    norm = blocks.norm(states, weights[factors("layers.0.input_layernorm")])
    for layer in range(LAYERS):
        name, node = f"layers.{layer}", f"/model/decoder/layers.{layer}"
        matrices = [weights.matrix(f"{node}/self_attn/{part}_proj") for part in "qkv"]
        query, key, value = blocks.products(norm, matrices)
        query, key = blocks.rotated(query, "position"), blocks.rotated(key, "position")
        mixed = blocks.attention([query, key, value], caches=f"{layer}")
        change = blocks.product(mixed, weights.matrix(f"{node}/self_attn/o_proj"))
        after = weights[factors(f"{name}.post_attention_layernorm")]
        norm, states = blocks.add_and_norm(states, change, after)
        query = blocks.product(norm, weights.matrix(f"{node}/encoder_attn/q_proj"))
        mixed = blocks.attention([query, f"encoder.{layer}.key", f"encoder.{layer}.value"])
        change = blocks.product(mixed, weights.matrix(f"{node}/encoder_attn/o_proj"))
        after = weights[factors(f"{name}.final_layernorm")]
        norm, states = blocks.add_and_norm(states, change, after)
        wide = blocks.product(norm, weights.matrix(f"{node}/mlp/fc1"))
        half, gate = graph.add_many("Split", [wide], 2, axis=-1)
        gate = graph.add("QuickGelu", gate, domain=MICROSOFT, alpha=1.0)
        wide = graph.add("Mul", gate, half)
        change = blocks.product(wide, weights.matrix(f"{node}/mlp/fc2"))
        following = f"layers.{layer + 1}.input_layernorm" if layer + 1 < LAYERS else "norm"
        norm, states = blocks.add_and_norm(states, change, weights[factors(following)])
    scores = blocks.product(norm, weights.matrix("/proj_out"))
    graph.add_many("ArgMax", [scores], ["next"], axis=-1, keepdims=0)
    caches = [f"{of}.{cache}" for of in ("past", "encoder") for cache in CACHES]
    return graph.model(
        {"token": INT, "position": INT, **dict.fromkeys(caches, FLOAT)},
        {"next": INT, **{f"present.{cache}": FLOAT for cache in CACHES}},
    )


def _convolutions(graph: Graph, weights: Weights) -> str:
    """Samples [n] to states [1, n / 384, 288]: three convolutions, and a normalization over all."""
    one_row = graph.constant(np.array([1, 1, -1]))
    audio = graph.add("Reshape", "samples", one_row)
    kernel = graph.constant(weights["conv1.weight_add_tensor"])
    waves = graph.add("FusedConv", audio, kernel, domain=MICROSOFT, strides=[64], activation="Tanh")
    whole = graph.add("Reshape", waves, one_row)
    one, zero = (graph.constant(np.full(1, number, np.float32)) for number in (1, 0))
    whole = graph.add("InstanceNormalization", whole, one, zero, epsilon=1e-5)
    waves = graph.add("Reshape", whole, graph.constant(np.array([1, 288, -1])))
    waves = graph.add("Mul", waves, graph.constant(weights["onnx::Mul_2080"]))
    waves = graph.add("Add", waves, graph.constant(weights["onnx::Add_2081"]))
    for name, stride in (("conv2", 3), ("conv3", 2)):
        kernel = graph.constant(weights[f"{name}.weight_add_tensor"])
        bias = graph.constant(weights[f"{name}.bias"])
        waves = graph.add("Conv", waves, kernel, bias, strides=[stride])
        waves = graph.add("Gelu", waves, domain=MICROSOFT)
    return graph.add("Transpose", waves, perm=[0, 2, 1])


def _encoder_caches(blocks: Blocks, states: str, weights: Weights) -> None:
    """The decoder's keys and values for the audio, computed once for all tokens."""
    nodes = [f"/model/decoder/layers.{layer}/encoder_attn" for layer in range(LAYERS)]
    matrices = [weights.matrix(f"{node}/{part}_proj") for node in nodes for part in "kv"]
    shape = blocks.graph.constant(np.array([1, -1, HEADS, HEAD_SIZE]))
    for cache, values in zip(CACHES, blocks.products(states, matrices), strict=True):
        heads = blocks.graph.add("Reshape", values, shape)
        blocks.graph.add_many("Transpose", [heads], [f"encoder.{cache}"], perm=[0, 2, 1, 3])


def _embedding(graph: Graph, weights: Weights, name: str) -> str:
    """The state [1, 1, 288] of `token`."""
    values, scale, zero_point = (
        graph.constant(weights[f"{name}_{part}"]) for part in ("quantized", "scale", "zero_point")
    )
    return graph.add("DequantizeLinear", graph.add("Gather", values, "token"), scale, zero_point)
