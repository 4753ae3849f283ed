"""Silero's network and Moonshine's graphs, run otherwise."""

import time

import jiwer
import numpy as np

from streamer.config.schema import InterimConfig, VadConfig
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.alternatives.drafting import DraftingMoonshine, interims
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
    """Interims decoded from nothing, and from the last interim's words."""
    model = DraftingMoonshine(require(MODEL))
    config = InterimConfig()
    spent = {"from nothing": 0.0, "from the last one": 0.0}
    steps = dict.fromkeys(spent, 0)
    plain: list[str] = []
    drafted: list[str] = []
    for segment in speech_segments():
        draft: list[int] = []
        for end in interims(len(segment), config):
            started_s = time.process_time()
            tokens = model.tokens(segment[:end])
            spent["from nothing"] += time.process_time() - started_s
            steps["from nothing"] += len(tokens) + 1
            started_s = time.process_time()
            draft, passes = model.verified(segment[:end], draft)
            spent["from the last one"] += time.process_time() - started_s
            steps["from the last one"] += passes
            plain.append(model.text(tokens))
            drafted.append(model.text(draft))
    differ = sum(a != b for a, b in zip(plain, drafted, strict=True))
    pairs = [(a, b) for a, b in zip(plain, drafted, strict=True) if a.strip()]
    changed = 100 * jiwer.wer([a for a, _ in pairs], [b for _, b in pairs])
    return [
        {
            "interims": name,
            "decoder passes": steps[name],
            "CPU s": round(spent[name], 2),
            "other text": f"{differ} of {len(plain)}" if name != "from nothing" else "–",
            "other words, %": round(changed, 1) if name != "from nothing" else "–",
        }
        for name in spent
    ]
