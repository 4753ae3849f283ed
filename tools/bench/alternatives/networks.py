"""Silero's network and Moonshine's graphs, run otherwise."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import jiwer
import numpy as np

from streamer.config.segmentation import InterimConfig, VadConfig
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.alternatives.drafting import (
    Drafted,
    DraftedMoonshine,
    DraftedPublishedMoonshine,
    interims,
)
from tools.bench.curve import cuts, settings_of, tracks
from tools.bench.live import MODEL, RATE, detector_ms
from tools.bench.published import PublishedMoonshine
from tools.bench.result_files import Row


def detectors() -> list[Row]:
    """Silero's network under ONNX Runtime, and in NumPy, with more and more windows in a call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    weights = require("silero-vad") / "silero_vad_16k_op15.onnx"
    session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for batch in (1, 8, 32, 128):
        given = {
            "input": rng.normal(0, 0.1, (batch, CONTEXT + WINDOW)).astype(np.float32),
            "state": SileroNetwork.start(batch),
            "sr": np.array(RATE),
        }
        calls = 6_400 // batch
        started_s = time.process_time()
        for _ in range(calls):
            session.run(None, given)
        spent_s = time.process_time() - started_s
        rows.append(
            {
                "windows a call": batch,
                "ONNX Runtime, ms per audio s": round(
                    1000 * spent_s / calls / batch / (WINDOW / RATE), 2
                ),
                "NumPy": round(detector_ms(batch, calls), 2),
            }
        )
    return rows


def speech_segments() -> list[Floats]:
    """The segments of the recordings that come with the model: float32 [n] at 16 kHz each."""
    network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
    settings = settings_of(VadConfig())
    return [
        track.samples[slice(*cut.audio)]
        for name in ("two_cities.wav", "beckett.wav")
        for track in tracks(require(MODEL) / name, network, channels=1)
        for cut in cuts(track, settings)
    ]


def graphs() -> list[Row]:
    """Moonshine's graphs as they are published, and those that the server makes of them."""
    segments = speech_segments()
    seconds = sum(map(len, segments)) / RATE
    rows: list[Row] = []
    texts: list[list[str]] = []
    for name, kind in (("published", PublishedMoonshine), ("the server's", Moonshine)):
        model = kind(require(MODEL))
        model.warm_up()
        started_s = time.process_time()
        tokens = [model.tokens(segment) for segment in segments]
        spent_s = time.process_time() - started_s
        texts.append([model.text(each) for each in tokens])
        rows.append({"graphs": name, "CPU ms per speech s": round(1000 * spent_s / seconds, 1)})
    differ = sum(a != b for a, b in zip(*texts, strict=True))
    rows[0]["other text"] = "–"
    rows[1]["other text"] = f"{differ} of {len(segments)}"
    return rows


def drafts() -> list[Row]:
    """Interims decoded from nothing, and from the last interim's words, with both kinds of graphs.

    Texts and words are compared with those from nothing, and with the same graphs.
    """
    folder, segments = require(MODEL), speech_segments()
    rows: list[Row] = []
    kinds: tuple[tuple[str, Drafted], ...] = (
        ("published", DraftedPublishedMoonshine(folder)),
        ("the server's", DraftedMoonshine(folder)),
    )
    for graphs, model in kinds:
        plain = _interims_with(model, segments, drafted=False)
        drafted = _interims_with(model, segments, drafted=True)
        pairs = [*zip(plain.texts, drafted.texts, strict=True)]
        differ = sum(a != b for a, b in pairs)
        spoken = [(a, b) for a, b in pairs if a.strip()]
        changed = 100 * jiwer.wer([a for a, _ in spoken], [b for _, b in spoken])
        for name, made in (("from nothing", plain), ("from the last one", drafted)):
            rows.append(
                {
                    "graphs": graphs,
                    "interims": name,
                    "decoder passes": made.passes,
                    "CPU s": round(made.spent_s, 2),
                    "other text": f"{differ} of {len(pairs)}" if made is drafted else "–",
                    "other words, %": round(changed, 1) if made is drafted else "–",
                }
            )
    return rows


class _Interims(NamedTuple):
    """Their texts, the runs of the decoder, and the seconds of CPU that they took."""

    texts: list[str]
    passes: int
    spent_s: float


def _interims_with(model: Drafted, segments: Sequence[Floats], *, drafted: bool) -> _Interims:
    """The interims of all segments, each with the words of the one before it or without."""
    config = InterimConfig()
    model.verified(segments[0], [])  # warm
    texts: list[str] = []
    total, started_s = 0, time.process_time()
    for segment in segments:
        tokens: list[int] = []
        for end in interims(len(segment), config):
            tokens, passes = model.verified(segment[:end], tokens if drafted else [])
            total += passes
            texts.append(model.text(tokens))
    return _Interims(texts, total, time.process_time() - started_s)
