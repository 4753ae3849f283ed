"""The picture of one layer of the decoder, and of the loop around all layers."""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from streamer.models.moonshine import graphs
from streamer.models.moonshine.published_weights import PublishedWeights
from streamer.weights.manifest import require
from tools.docs.book_style import INK, LINE, NARROW_IN, PALE, SPEECH

MODEL = "moonshine-tiny-en"


class Block(NamedTuple):
    """A third of a layer.

    Attributes:
        title: For people.
        steps: Its steps in their order: the text, and how many weights it multiplies with.
        reads: What it reads beside the states of the tokens.
    """

    title: str
    steps: tuple[tuple[str, int], ...]
    reads: str


class DecoderShape(NamedTuple):
    """What is drawn, read from the published weights.

    Attributes:
        layers: Of the decoder.
        width: Numbers in the state of a token.
        tokens: Of the vocabulary.
        blocks: Of each layer.
    """

    layers: int
    width: int
    tokens: int
    blocks: tuple[Block, ...]


def decoder_shape() -> DecoderShape:
    """The decoder of the smaller model."""
    folder = require(MODEL)
    weights, size = PublishedWeights(folder / graphs.DECODER), graphs.sizes(folder)

    def count(*names: str) -> int:
        nodes = [f"/model/decoder/layers.0/{name}" for name in names]
        return sum(weights.matrix(node).values.size for node in nodes)

    tokens = weights.matrix("/proj_out").values.size // size.width
    own = [f"self_attn/{part}_proj" for part in "qkv"]
    blocks = (
        Block(
            "What was written?",
            (
                ("query, key, value", count(*own)),
                ("positions: rotate query and key", 0),
                ("attention to the tokens so far", 0),
                ("product", count("self_attn/o_proj")),
            ),
            "keys and values\nof past tokens",
        ),
        Block(
            "What was said?",
            (
                ("query", count("encoder_attn/q_proj")),
                ("attention to the audio", 0),
                ("product", count("encoder_attn/o_proj")),
            ),
            "keys and values\nof the audio",
        ),
        Block(
            "What follows from it?",
            (
                ("product", count("mlp/fc1")),
                ("one half × gate of the other", 0),
                ("product", count("mlp/fc2")),
            ),
            "",
        ),
    )
    return DecoderShape(size.layers, size.width, tokens, blocks)


STEP, GAP = 1.0, 1.5
"""Heights, in rows: of a step, and between two blocks, where the states are added."""


def decoder_layer() -> Figure:
    """The steps from a token to the next one."""
    shape = decoder_shape()
    figure = Figure(figsize=(NARROW_IN, 7.0), layout="constrained")
    axes = figure.subplots()
    _box(axes, 0, f"token → a state: {shape.width} numbers", SPEECH)
    row = GAP
    begins = row
    for block in shape.blocks:
        if block is not shape.blocks[0]:
            _sum(axes, row)
        _box(axes, row, "normalize", PALE)
        for text, weights in block.steps:
            row += STEP
            note = f"{text}  ({weights / 1_000:.0f} thousand weights)" if weights else text
            _box(axes, row, note, SPEECH if weights else PALE)
            if "attention" in text:
                axes.annotate(
                    block.reads, (8.35, row), (8.75, row), va="center", size=9, color=LINE,
                    arrowprops={"arrowstyle": "->", "color": LINE},
                )  # fmt: skip
        middle = row - STEP * len(block.steps) / 2
        axes.text(0.35, middle, block.title, rotation=90, va="center", ha="center", size=9.5)
        row += GAP
    _sum(axes, row)
    axes.add_patch(
        FancyBboxPatch(
            (0.05, begins - 0.85), 11.5, row - begins + 0.3, fill=False,
            edgecolor=INK, linestyle=":", boxstyle="round,pad=0.1",
        )
    )  # fmt: skip
    axes.text(11.5, begins - 0.5, f"a layer; there are {shape.layers}", ha="right", size=9.5)
    _box(axes, row + 0.45, "normalize", PALE)
    weights = shape.width * shape.tokens
    scores = f"scores of {shape.tokens} tokens  ({weights / 1e6:.1f} million weights)"
    _box(axes, row + 0.45 + STEP, scores, SPEECH)
    last = row + 0.45 + 2 * STEP
    _box(axes, last, "the best one is the next token", LINE)
    axes.plot([8.4, 12.1, 12.1], [last, last, 0], color=LINE, linewidth=1.4)
    axes.annotate(
        "", (8.4, 0), (12.1, 0), arrowprops={"arrowstyle": "->", "color": LINE, "linewidth": 1.4}
    )
    axes.text(12.25, last / 2, "the next pass", rotation=-90, va="center", ha="left", size=9.5)
    axes.set(xlim=(-0.1, 12.8), ylim=(last + 0.6, -0.6))
    axes.axis("off")
    return figure


def _box(axes: Axes, row: float, text: str, colour: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (1.3, row - 0.33), 7.0, 0.66, boxstyle="round,pad=0.05",
            facecolor=colour, edgecolor="none",
        )
    )  # fmt: skip
    ink = "white" if colour == LINE else "black"
    axes.text(4.8, row, text, ha="center", va="center", size=9, color=ink)


def _sum(axes: Axes, row: float) -> None:
    """Above a row: what a block has found is added to the states that it was given."""
    axes.text(4.8, row - 0.75, "+ the states before", ha="center", va="center", size=9)
