"""What the networks of the transcribers cost alone: encoder, decoder, and whole inferences.

    make bench-networks

Pieces of several lengths of the recording that comes with the model are inferred in turn, again
and again: with nothing known, and with the draft of an interim of the first five sixths. A second
table has one segment that grows, with all its interims. Printed are medians, in milliseconds of CPU
for each second of audio. Results are written to `build/results/networks.json`.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import track

from streamer.config.segmentation import InterimConfig
from streamer.model import SegmentRequest
from streamer.models.moonshine.decoding import ExtraOutputs
from streamer.models.moonshine.transcriber import Moonshine, max_tokens
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tools.bench.alternatives.drafting import interims
from tools.bench.reference import MODEL, positive
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

MODELS = (MODEL, "moonshine-base-en")
LENGTHS_S = (2, 4, 10)
REPEATS = 15
KNOWN = 5 / 6
"""Of a piece, whose interim is the draft: interims come when a segment has grown by a fifth."""

GROWING_S = 10
"""Length of the segment that grows."""


def spoken(seconds: int) -> Floats:
    """The beginning of the recording, float32 [n] at the rate of the models."""
    path = require(MODEL) / "two_cities.wav"
    rate = soundfile.info(path).samplerate
    samples, _ = soundfile.read(path, frames=rate * seconds, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, Moonshine.sample_rate), np.float32)


def cpu_ms(work: Callable[[], object]) -> float:
    """Milliseconds of CPU that some work takes in this process."""
    begun_s = time.process_time()
    work()
    return 1_000 * (time.process_time() - begun_s)


def pieces(model: Moonshine) -> Iterator[tuple[tuple[str, int], Callable[[], object]]]:
    """What is measured of pieces, by name and seconds."""
    for seconds in LENGTHS_S:
        samples = spoken(seconds)
        decode = partial(
            model.decoder.decode,
            model.encoder_caches(samples),
            max_tokens(samples),
            extra=ExtraOutputs(log_probabilities=True),
        )
        known = samples[: int(KNOWN * len(samples))]
        draft = draft_of(model.infer_request(known, SegmentRequest(interim=True)))
        yield ("encoder", seconds), partial(model.encoder_caches, samples)
        yield ("decoder", seconds), decode
        yield ("decoder, drafted", seconds), partial(decode, draft=model.tokens(known))
        yield ("whole", seconds), partial(model.infer, samples)
        request = SegmentRequest(draft=draft)
        yield ("whole, drafted", seconds), partial(model.infer_request, samples, request)


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


def medians(
    works: dict[tuple[str, int], Callable[[], object]], repeats: int, name: str, progress: Console
) -> dict[tuple[str, int], float]:
    """Of each work, in milliseconds for a second of audio; they take turns."""
    spent: dict[tuple[str, int], list[float]] = {key: [] for key in works}
    for _ in track(range(repeats + 1), description=name, console=progress):
        for key, work in works.items():
            spent[key].append(cpu_ms(work) / key[1])
    return {key: statistics.median(islice(values, 1, None)) for key, values in spent.items()}


def measure(name: str, repeats: int, progress: Console) -> tuple[list[Row], list[Row]]:
    """A row for each length, and one for the segment that grows."""
    model = Moonshine(require(name))
    parts = dict(pieces(model))
    works = {**parts}
    growing = spoken(GROWING_S)
    for how, drafted in (("growing", False), ("growing, drafted", True)):
        works[how, GROWING_S] = partial(grow, model, growing, drafted=drafted)
    found = {key: round(value, 2) for key, value in medians(works, repeats, name, progress).items()}
    of_pieces: list[Row] = [
        {
            "model": name,
            "seconds": seconds,
            **{f"{what}, ms/s": found[what, at] for what, at in parts if at == seconds},
        }
        for seconds in LENGTHS_S
    ]
    grown: Row = {
        "model": name,
        "seconds": GROWING_S,
        "interims": len([*interims(len(growing), InterimConfig())]),
        "without drafts, ms/s": found["growing", GROWING_S],
        "with drafts, ms/s": found["growing, drafted", GROWING_S],
    }
    return of_pieces, [grown]


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.networks", __doc__)
    parser.add_argument("--repeats", type=positive, default=REPEATS)
    parser.add_argument("--model", action="append", help="may be given again; default: both")
    args = parser.parse_args()
    progress, of_pieces, grown = Console(stderr=True), list[Row](), list[Row]()
    for name in args.model or MODELS:
        found = measure(name, args.repeats, progress)
        of_pieces += found[0]
        grown += found[1]
    console = Console(width=150)
    console.print(table("CPU of the networks alone", of_pieces))
    console.print(table("CPU of a segment that grows, with its interims", grown))
    write_json("networks.json", {"networks": of_pieces, "growing": grown})


if __name__ == "__main__":
    main()
