"""What the networks of the transcribers cost alone: encoder, decoder, and whole inferences.

    make bench-networks

The segments of the recordings that come with the model are inferred in turn, again and again: with
nothing known, with the draft of an interim of the first five sixths, and with all interims of a
segment that grows. Printed are medians, in milliseconds of CPU for each second of the segments.
Results are written to `build/results/networks.json`, and go into the documentation.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import track

from streamer.config.segmentation import InterimConfig, VadConfig
from streamer.model import SegmentRequest
from streamer.models.moonshine.decoding import ExtraOutputs
from streamer.models.moonshine.transcriber import Moonshine, max_tokens
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import SileroNetwork
from streamer.weights.manifest import require
from tools.bench.alternatives.drafting import interims
from tools.bench.curve import ScoredChannel, cuts, probabilities, settings_of
from tools.bench.reference import MODEL, positive
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

MODELS = (MODEL, "moonshine-base-en")
RECORDINGS = ("beckett.wav", "two_cities.wav")
REPEATS = 5
KNOWN = 5 / 6
"""Of a segment, whose interim is the draft: interims come when a segment has grown by a fifth."""


def segments() -> list[Floats]:
    """Each float32 [n] at the rate of the models, as the server cuts them by default.

    Not pieces of a fixed length: the silence before the first word, and a word that is cut, make
    the decoder end at once and search again.
    """
    network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
    found: list[Floats] = []
    for name in RECORDINGS:
        samples, rate = soundfile.read(require(MODEL) / name, dtype="float32")
        samples = np.asarray(soxr.resample(samples, rate, Moonshine.sample_rate), np.float32)
        channel = ScoredChannel(samples, probabilities(samples, network))
        for cut in cuts(channel, settings_of(VadConfig())):
            start, end = cut.audio
            found.append(samples[start:end])
    return found


def cpu_ms(work: Callable[[], object]) -> float:
    """Milliseconds of CPU that some work takes in this process."""
    begun_s = time.process_time()
    work()
    return 1_000 * (time.process_time() - begun_s)


def works(model: Moonshine, samples: Floats) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is measured of a segment, float32 [n]."""
    caches, limit = model.encoder_caches(samples), max_tokens(samples)
    extra = ExtraOutputs(log_probabilities=True)
    known = samples[: int(KNOWN * len(samples))]
    request = SegmentRequest(
        draft=draft_of(model.infer_request(known, SegmentRequest(interim=True)))
    )
    tokens = model.tokens(known)
    yield "encoder", lambda: model.encoder_caches(samples)
    yield "decoder", lambda: model.decoder.decode(caches, limit, extra=extra)
    yield "decoder, drafted", lambda: model.decoder.decode(caches, limit, extra=extra, draft=tokens)
    yield "whole", lambda: model.infer(samples)
    yield "whole, drafted", lambda: model.infer_request(samples, request)
    yield "with interims", lambda: grow(model, samples, drafted=False)
    yield "with interims, drafted", lambda: grow(model, samples, drafted=True)


def draft_of(output: dict[str, object]) -> bytes:
    """The draft in a result; empty where there is none."""
    draft = output.get("draft", b"")
    assert isinstance(draft, bytes)
    return draft


def grow(model: Moonshine, samples: Floats, *, drafted: bool) -> None:
    """Infer float32 [n] as it grows, each time with the draft of the time before or without."""
    draft = b""
    for end in (*interims(len(samples), InterimConfig()), len(samples)):
        request = SegmentRequest(interim=end < len(samples), draft=draft)
        output = model.infer_request(samples[:end], request)
        draft = draft_of(output) if drafted else b""


def measure(name: str, chosen: Sequence[Floats], repeats: int, progress: Console) -> Row:
    """The row of a model; what is measured of a segment takes turns."""
    model = Moonshine(require(name))
    found: dict[str, float] = {}
    for samples in track(chosen, description=name, console=progress):
        measured = dict(works(model, samples))
        spent: dict[str, list[float]] = {what: [] for what in measured}
        for _ in range(repeats + 1):
            for what, work in measured.items():
                spent[what].append(cpu_ms(work))
        for what, values in spent.items():
            found[what] = found.get(what, 0) + statistics.median(islice(values, 1, None))
    audio_s = sum(map(len, chosen)) / Moonshine.sample_rate
    row: Row = {"model": name, "segments": len(chosen), "seconds": round(audio_s, 1)}
    return row | {f"{what}, ms/s": round(ms / audio_s, 2) for what, ms in found.items()}


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.networks", __doc__)
    parser.add_argument("--repeats", type=positive, default=REPEATS)
    parser.add_argument("--model", action="append", help="may be given again; default: both")
    args = parser.parse_args()
    progress, chosen = Console(stderr=True), segments()
    rows = [measure(name, chosen, args.repeats, progress) for name in args.model or MODELS]
    Console(width=150).print(table("CPU of the networks alone", rows))
    write_json("networks.json", {"networks": rows})


if __name__ == "__main__":
    main()
