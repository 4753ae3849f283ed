"""What the networks of the transcribers cost alone: encoder, and whole inference.

    make bench-networks

Pieces of several lengths of the recording that comes with the model are inferred in turn, again
and again. Printed are medians, in milliseconds of CPU for each second of audio. Results are
written to `build/results/networks.json`.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import track

from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tools.bench.reference import MODEL, positive
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

MODELS = (MODEL, "moonshine-base-en")
LENGTHS_S = (2, 4, 10)
REPEATS = 15


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


def measure(name: str, repeats: int, progress: Console) -> list[Row]:
    """A row for each length."""
    model = Moonshine(require(name))
    pieces = {seconds: spoken(seconds) for seconds in LENGTHS_S}
    spent: dict[tuple[str, int], list[float]] = {}
    for _ in track(range(repeats + 1), description=name, console=progress):
        for seconds, samples in pieces.items():
            works: dict[str, Callable[[Floats], object]] = {
                "encoder": model.encoder_caches,
                "whole": model.infer,
            }
            for what, work in works.items():
                used_ms = cpu_ms(partial(work, samples))
                spent.setdefault((what, seconds), []).append(used_ms / seconds)
    medians = {key: statistics.median(values[1:]) for key, values in spent.items()}
    return [
        {
            "model": name,
            "seconds": seconds,
            "encoder ms a second": round(medians["encoder", seconds], 2),
            "whole ms a second": round(medians["whole", seconds], 2),
        }
        for seconds in LENGTHS_S
    ]


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.networks", __doc__)
    parser.add_argument("--repeats", type=positive, default=REPEATS)
    args = parser.parse_args()
    progress = Console(stderr=True)
    rows = [row for name in MODELS for row in measure(name, args.repeats, progress)]
    Console(width=120).print(table("CPU of the networks alone", rows))
    write_json("networks.json", {"networks": rows})


if __name__ == "__main__":
    main()
