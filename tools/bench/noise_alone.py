"""The texts that models give for noise in which nobody speaks.

Part of `make accuracy AUDIO=folder`. Each piece of noise is inferred as if it were a segment, which
asks most of the gate, and sent through the socket as a stream of its own, where the detector must
find speech first.
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tools.bench.noise import noises
from tools.bench.plays import RATE, Setup, transcript
from tools.bench.result_files import Row
from tools.bench.serving import server

PIECES_S = (5.0, 2.0)
"""Seconds of noise that are inferred at once."""

LEAST_S = 1.0
"""Seconds; a rest that is shorter is left out."""


def measure(setups: Sequence[Setup], audio: Path, progress: Console) -> list[Row]:
    """A row for each model and length of the pieces."""
    found = noises(audio)
    rows: list[Row] = []
    for setup in setups:
        model = Moonshine(require(setup.model))
        with server(config=setup.config()) as (url, _):
            for length_s in PIECES_S:
                pieces = [piece for each in found for piece in cut(each, length_s)]
                shown = track(pieces, f"noise alone, {setup.name}", console=progress)
                texts = [texts_of(piece, model, url) for piece in shown]
                rows.append(row(setup.name, length_s, texts))
    return rows


def cut(samples: Floats, length_s: float) -> Iterator[Floats]:
    """Pieces of noise."""
    size = int(length_s * RATE)
    for begin in range(0, len(samples), size):
        if len(samples) - begin >= LEAST_S * RATE:
            yield samples[begin : begin + size]


def texts_of(piece: Floats, model: Moonshine, url: str) -> tuple[str | None, str]:
    """The text of a segment, None if it does not pass the gate; and that of the stream."""
    text = None if model.gate(piece) is not None else str(model.infer(piece)["text"])
    return text, asyncio.run(transcript(piece, RATE, url))


def row(name: str, length_s: float, texts: Sequence[tuple[str | None, str]]) -> Row:
    """What is shown of a model and a length."""
    return {
        "model": name,
        "piece, s": length_s,
        "pieces": len(texts),
        "inferred": sum(text is not None for text, _ in texts),
        "gave a text": sum(bool(text) for text, _ in texts),
        "through the socket": sum(bool(streamed) for _, streamed in texts),
        "texts": [text for text, _ in texts if text],
    }
