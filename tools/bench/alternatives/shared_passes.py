"""Several segments in each pass of the decoder, as if they had waited for a worker together.

The products of a pass are of the rows of all segments, so the weights are read once for them. Each
segment keeps its own attention, with its own keys and values: its tokens get the same bits as
alone. When a segment has ended, the passes go on with the others.
"""

import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, cast
from unittest.mock import patch

import numpy as np

from streamer.models.moonshine import graphs
from streamer.models.moonshine.decoding import END_TOKEN, START_TOKEN
from streamer.models.moonshine.row_blocks import RowBlocks
from streamer.models.moonshine.transcriber import Moonshine, max_tokens
from streamer.onnx.graph import Array, Floats, Graph
from streamer.onnx.runtime import open_network, supports_int8_products
from streamer.weights.manifest import require
from tools.bench.networks import MODELS, segments
from tools.bench.result_files import Row

SIZES = (1, 2, 4)
"""Segments in a pass."""

ROUNDS = 5


def shared_passes() -> list[Row]:
    """CPU of finals without a draft, by segments in a pass.

    The segments of the recordings that come with the model are put together at random: in each
    round otherwise, and in a round the same for all sizes. Printed are medians.
    """
    return [row for name in MODELS for row in _rows(name, segments())]


class _Spent(NamedTuple):
    """What one round took: passes, seconds of CPU, and texts that were not as alone."""

    passes: int
    encoder_s: float
    decoder_s: float
    other: int


def _rows(name: str, found: list[Floats]) -> list[Row]:
    """Those of a model.

    Args:
        name: Its folder.
        found: Float32 [n] at its rate each.
    """
    model, decoder = Moonshine(require(name)), SharedDecoder(require(name), max(SIZES))
    texts = [model.tokens(samples) for samples in found]
    spent: dict[int, list[_Spent]] = {size: [] for size in SIZES}
    for turn in range(ROUNDS):
        order = random.Random(turn).sample(range(len(found)), len(found))
        chosen, expected = [found[at] for at in order], [texts[at] for at in order]
        for size, rounds in spent.items():
            rounds.append(_round(model, decoder, chosen, expected, size))
    audio_s = sum(map(len, found)) / model.sample_rate
    rows: list[Row] = []
    for size, rounds in spent.items():
        decoder_s = statistics.median(each.decoder_s for each in rounds)
        whole_s = statistics.median(each.encoder_s + each.decoder_s for each in rounds)
        rows.append(
            {
                "model": name,
                "segments in a pass": size,
                "passes": round(statistics.median(each.passes for each in rounds)),
                "decoder, ms/s": round(1_000 * decoder_s / audio_s, 2),
                "with the encoder, ms/s": round(1_000 * whole_s / audio_s, 2),
                "other text": f"{sum(each.other for each in rounds)} of {ROUNDS * len(found)}",
            }
        )
    return rows


def _round(
    model: Moonshine,
    decoder: "SharedDecoder",
    found: Sequence[Floats],
    texts: Sequence[list[int]],
    size: int,
) -> _Spent:
    """All segments once, `size` of them in a pass; `texts` are their tokens alone."""
    begun_s, passes = time.process_time(), decoder.passes
    audio = [model.encoder_caches(samples) for samples in found]
    encoded_s = time.process_time()
    tokens: list[list[int]] = []
    for at in range(0, len(found), size):
        together = slice(at, at + size)
        tokens += decoder.tokens(audio[together], [*map(max_tokens, found[together])])
    ended_s = time.process_time()
    other = sum(one != alone for one, alone in zip(tokens, texts, strict=True))
    return _Spent(decoder.passes - passes, encoded_s - begun_s, ended_s - encoded_s, other)


class SharedDecoder:
    """The decoder's graphs for one segment in a pass, for two, and so on.

    Args:
        folder: Holds the published files.
        most: Segments in a pass.

    Attributes:
        passes: How often a graph was run.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.passes = 0
        self._sizes = graphs.sizes(folder)
        self._sessions = [open_network(_graph(folder, count)) for count in range(1, most + 1)]

    def tokens(
        self, audio: Sequence[Mapping[str, Floats]], limits: Sequence[int]
    ) -> list[list[int]]:
        """What greedy search finds in each segment.

        Args:
            audio: The outputs of `graphs.encoder` for each segment, by name.
            limits: Tokens, of each segment.
        """
        begun = [
            _Segment(
                {f"encoder.{cache}": each[f"encoder.{cache}"] for cache in self._sizes.caches},
                [np.zeros((1, self._sizes.heads, 0, self._sizes.head_size), np.float32)]
                * len(self._sizes.caches),
                limit,
            )
            for each, limit in zip(audio, limits, strict=True)
        ]
        while running := [segment for segment in begun if not segment.ended]:
            self._step(running)
        return [segment.tokens[1:] for segment in begun]

    def _step(self, segments: Sequence["_Segment"]) -> None:
        """One token more of each segment."""
        self.passes += 1
        inputs: dict[str, Array] = {
            "tokens": np.array([[segment.tokens[-1] for segment in segments]]),
            "position": np.array([[len(segment.tokens) - 1 for segment in segments]]),
        }
        outputs = ["logits"]
        for number, segment in enumerate(segments):
            inputs |= {_of(number, name): each for name, each in segment.audio.items()}
            for cache, past in zip(self._sizes.caches, segment.past, strict=True):
                inputs[_of(number, f"past.{cache}")] = past
                outputs.append(_of(number, f"present.{cache}"))
        session = self._sessions[len(segments) - 1]
        logits, *caches = cast("list[Floats]", session.run(outputs, inputs))
        for number, segment in enumerate(segments):
            count = len(segment.past)
            segment.past = caches[number * count : (number + 1) * count]
            segment.chose(int(logits[0, number].argmax()))


@dataclass
class _Segment:
    """The search in one segment: its keys and values, those of the audio, and the tokens so far."""

    audio: Mapping[str, Floats]
    past: list[Floats]
    limit: int
    tokens: list[int] = field(default_factory=lambda: [START_TOKEN])
    ended: bool = False

    def chose(self, token: int) -> None:
        """Take note of the next token."""
        if token != END_TOKEN:
            self.tokens.append(token)
        self.ended = token == END_TOKEN or len(self.tokens) > self.limit


class _SharedBlocks(RowBlocks):
    """A row for each segment of a pass, in order."""

    segments = 1

    def attention(self, inputs: Sequence[str], caches: str = "") -> str:
        """That of each segment, one after another."""
        query, *others = inputs
        if caches:
            rows = [*zip(*map(self._rows, inputs), strict=True)]
        else:
            audio = [[_of(number, name) for name in others] for number in range(self.segments)]
            rows = [(row, *own) for row, own in zip(self._rows(query), audio, strict=True)]
        mixed = [
            super(_SharedBlocks, self).attention(row, f"{number}.{caches}" if caches else "")
            for number, row in enumerate(rows)
        ]
        return self.graph.add("Concat", *mixed, axis=1) if len(mixed) > 1 else mixed[0]

    def _rows(self, states: str) -> Sequence[str]:
        if self.segments == 1:
            return [states]
        return self.graph.add_many("Split", [states], self.segments, axis=1)


class _SharedGraph(Graph):
    """A graph whose caches are there for each segment."""

    segments = 1

    def model(self, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> bytes:
        """As that of `Graph`."""
        return super().model(self._named(inputs), self._named(outputs))

    def _named(self, tensors: Mapping[str, str]) -> dict[str, str]:
        named = {}
        for name, element in tensors.items():
            shared = "." not in name
            for number in range(1 if shared else self.segments):
                named[name if shared else _of(number, name)] = element
        return named


def _graph(folder: Path, segments: int) -> bytes:
    """`graphs.decoder` with so many segments in a pass, and a token of each.

    `tokens` and `position` are int64 [1, segments]; `logits` float32 [1, segments, vocabulary].
    """
    with (
        patch.object(_SharedBlocks, "segments", segments),
        patch.object(_SharedGraph, "segments", segments),
        patch.object(graphs, "RowBlocks", _SharedBlocks),
        patch.object(graphs, "Graph", _SharedGraph),
    ):
        return graphs.decoder(folder, signed=supports_int8_products())


def _of(segment: int, name: str) -> str:
    """The name of a segment's tensor: `past.0.key` is that of layer 0 and of all segments."""
    kind, cache = name.split(".", 1)
    return f"{kind}.{segment}.{cache}"
