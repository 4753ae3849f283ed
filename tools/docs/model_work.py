"""Where the multiplications of Moonshine Tiny are, for the book."""

from typing import NamedTuple

from streamer.models.moonshine import graphs
from streamer.models.moonshine.convolutions import STRIDES
from streamer.models.moonshine.published_weights import PublishedWeights
from streamer.onnx.graph import FLOAT
from streamer.weights.manifest import require

RATE, SEGMENT_S, TOKENS_PER_SECOND = 16_000, 4, 5
"""The speech that is assumed: Hz, seconds of a segment, and tokens for a second."""

FLOAT_BYTES = 4


class Part(NamedTuple):
    """A part of the network, for a second of speech.

    Attributes:
        name: For people.
        numbers: In which the products are computed.
        products: Multiplications.
        weight_bytes: Read from memory: once for a segment, or once for a token.
        for_each_token: Whether it runs once for a token, and otherwise once for a segment.
    """

    name: str
    numbers: str
    products: float
    weight_bytes: float
    for_each_token: bool = False


def parts() -> list[Part]:
    """All parts, in the order in which they run."""
    folder = require("moonshine-tiny-en")
    encoder = PublishedWeights(folder / graphs.ENCODER)
    decoder = PublishedWeights(folder / graphs.DECODER)
    layers = encoder.sizes().layers

    def weights(of: PublishedWeights, node: str, *names: str) -> int:
        return layers * sum(of.matrix(f"{node}/{name}").values.size for name in names)

    found, per_second = [], float(RATE)
    for number, stride in enumerate(STRIDES, 1):
        per_second /= stride
        kernel = encoder.floats(f"conv{number}.weight").size
        of_integers = number == 2
        size = kernel * (1 if of_integers else FLOAT_BYTES)
        numbers = "int8" if of_integers else FLOAT
        found.append(Part(f"convolution {number}", numbers, per_second * kernel, size / SEGMENT_S))
    own = [f"self_attn/{part}_proj" for part in "qkvo"]
    wide = ["mlp/fc1", "mlp/fc2"]
    for name, count in (
        ("encoder's layers", weights(encoder, "/layers.0", *own, *wide)),
        (
            "keys and values",
            weights(decoder, "/model/decoder/layers.0/encoder_attn", "k_proj", "v_proj"),
        ),
    ):
        found.append(Part(name, "int8", per_second * count, count / SEGMENT_S))
    crossed = ["encoder_attn/q_proj", "encoder_attn/o_proj"]
    for name, count in (
        ("decoder's layers", weights(decoder, "/model/decoder/layers.0", *own, *crossed, *wide)),
        ("scores of tokens", decoder.matrix("/proj_out").values.size),
    ):
        times = float(TOKENS_PER_SECOND * count)
        found.append(Part(name, "int8", times, times, for_each_token=True))
    return found
