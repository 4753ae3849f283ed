"""Moonshine's graphs, written anew around the published weights.

The published graphs were exported from PyTorch operator by operator: most of the decoder's 896
nodes for each token compute shapes, slice and pad, and take as long as the 49 products. The graphs
here have 346 nodes, with ONNX Runtime's own operators for rotary positions, attention and
normalization; two thirds of the nodes quantize the rows of the 37 products. The products and their
weights are the same; words differ only where rounding does.

Network: Jeffries et al., 2024 (https://arxiv.org/abs/2410.15608). Tiny has 6 layers each, 288 wide;
Base has 8, 416 wide. The sizes are those of the weights in the files.
"""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from streamer.models.moonshine.blocks import Blocks
from streamer.models.moonshine.convolutions import convolutions
from streamer.models.moonshine.published_weights import PublishedWeights, Sizes
from streamer.models.moonshine.row_blocks import RowBlocks
from streamer.onnx.graph import FLOAT, INT, MICROSOFT, Graph

ENCODER, DECODER = "encoder_model.ort", "decoder_model_merged.ort"


def encoder(folder: Path, *, signed: bool) -> bytes:
    """`samples` float32 [n] → `encoder.…`, the decoder's keys and values for the audio.

    Args:
        folder: Holds the published files.
        signed: Whether the weights of products are stored as int8; see `Blocks`.

    Raises:
        ValueError: A file is not the published one.
    """
    weights, graph = PublishedWeights(folder / ENCODER), Graph()
    size = weights.sizes()
    blocks = Blocks(graph, size.heads, signed=signed)
    states = convolutions(blocks, weights, size)
    beginning = graph.constant(np.zeros(1, np.int64))
    norm = blocks.norm(states, weights["layers.0.input_layernorm.weight"])
    for layer in range(size.layers):
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
        following = (
            f"layers.{layer + 1}.input_layernorm" if layer + 1 < size.layers else "layer_norm"
        )
        norm, states = blocks.add_and_norm(states, change, weights[f"{following}.weight"])
    _encoder_caches(blocks, norm, PublishedWeights(folder / DECODER), size)
    return graph.model({"samples": FLOAT}, {f"encoder.{cache}": FLOAT for cache in size.caches})


def decoder(folder: Path, *, signed: bool, query_layers: Collection[int] = ()) -> bytes:
    """A pass: `tokens` int64 [1, n], `position` int64 [1], caches → `logits`, `present.…`.

    `position` is that of the first token. `logits` float32 [1, n, 32768] are, for each token, the
    scores of the one that follows it. They are the same bits whatever other tokens are in the pass
    (`row_blocks.py`; `exact_rows.py` tries it).

    Args:
        folder: As for `encoder`.
        signed: As for `encoder`.
        query_layers: Layers whose queries to the audio are outputs too: `query.…` float32
            [1, n, width].

    Raises:
        ValueError: As `encoder`.
    """
    size = sizes(folder)
    weights, graph = PublishedWeights(folder / DECODER), Graph()
    blocks = RowBlocks(graph, size, signed=signed)

    def factors(of: str) -> str:
        return f"model.decoder.{of}.weight_merged_0"

    states = _embedding(graph, weights)
    norm = blocks.norm(states, weights[factors("layers.0.input_layernorm")])
    for layer in range(size.layers):
        name, node = f"layers.{layer}", f"/model/decoder/layers.{layer}"
        matrices = [weights.matrix(f"{node}/self_attn/{part}_proj") for part in "qkv"]
        query, key, value = blocks.products(norm, matrices)
        query, key = blocks.rotated(query, "position"), blocks.rotated(key, "position")
        mixed = blocks.attention([query, key, value], caches=f"{layer}")
        change = blocks.product(mixed, weights.matrix(f"{node}/self_attn/o_proj"))
        after = weights[factors(f"{name}.post_attention_layernorm")]
        norm, states = blocks.add_and_norm(states, change, after)
        query = blocks.product(norm, weights.matrix(f"{node}/encoder_attn/q_proj"))
        if layer in query_layers:
            graph.add_many("Identity", [query], [f"query.{layer}"])
        mixed = blocks.attention([query, f"encoder.{layer}.key", f"encoder.{layer}.value"])
        change = blocks.product(mixed, weights.matrix(f"{node}/encoder_attn/o_proj"))
        after = weights[factors(f"{name}.final_layernorm")]
        norm, states = blocks.add_and_norm(states, change, after)
        wide = blocks.product(norm, weights.matrix(f"{node}/mlp/fc1"))
        half, gate = graph.add_many("Split", [wide], 2, axis=-1)
        gate = graph.add("QuickGelu", gate, domain=MICROSOFT, alpha=1.0)
        wide = graph.add("Mul", gate, half)
        change = blocks.product(wide, weights.matrix(f"{node}/mlp/fc2"))
        following = f"layers.{layer + 1}.input_layernorm" if layer + 1 < size.layers else "norm"
        norm, states = blocks.add_and_norm(states, change, weights[factors(following)])
    scores = blocks.product(norm, weights.matrix("/proj_out"))
    graph.add_many("Identity", [scores], ["logits"])
    caches = [f"{of}.{cache}" for of in ("past", "encoder") for cache in size.caches]
    presents = [f"present.{cache}" for cache in size.caches]
    queries = [f"query.{layer}" for layer in query_layers]
    return graph.model(
        {"tokens": INT, "position": INT, **dict.fromkeys(caches, FLOAT)},
        dict.fromkeys(["logits", *presents, *queries], FLOAT),
    )


def sizes(folder: Path) -> Sizes:
    """The sizes of the network whose published files are in this folder.

    Raises:
        ValueError: As `encoder`.
    """
    return PublishedWeights(folder / ENCODER).sizes()


def _encoder_caches(blocks: Blocks, states: str, weights: PublishedWeights, size: Sizes) -> None:
    """The decoder's keys and values for the audio, computed once for all tokens."""
    nodes = [f"/model/decoder/layers.{layer}/encoder_attn" for layer in range(size.layers)]
    matrices = [weights.matrix(f"{node}/{part}_proj") for node in nodes for part in "kv"]
    shape = blocks.graph.constant(np.array([1, -1, size.heads, size.head_size]))
    for cache, values in zip(size.caches, blocks.products(states, matrices), strict=True):
        heads = blocks.graph.add("Reshape", values, shape)
        blocks.graph.add_many("Transpose", [heads], [f"encoder.{cache}"], perm=[0, 2, 1, 3])


def _embedding(graph: Graph, weights: PublishedWeights) -> str:
    """The states [1, n, width] of `tokens`."""
    values, scale, zero_point, offset = weights.embedding()
    rows = graph.add("Gather", graph.constant(values), "tokens")
    states = graph.add("DequantizeLinear", rows, graph.constant(scale), graph.constant(zero_point))
    return states if offset is None else graph.add("Add", states, graph.constant(offset))
