"""How good the times and the certainty of words are, and what they cost.

    make accuracy-words                          the recordings that come with the model
    make accuracy-words AUDIO=path/to/folder     a folder with a manifest.json, as for accuracy.py

Each recording is transcribed once, as a whole; `accuracy.py` does so in twenty rounds. What times
and certainty are compared with is described in `certainty.py`. A recording with a word that the
aligner's dictionary lacks has no times to compare.

Costs are CPU time of whole recordings, without the gate, which does less where there is certainty.
Text alone, with certainty and with words take turns, so that what else the machine does changes
neighbours alike: of each recording, the median of the differences in several turns counts. Results
are written to `build/results/words.json`.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from rich.console import Console
from rich.progress import track

from streamer.model import SegmentRequest
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.factory import SILERO_FOLDER
from streamer.vad.silero_network import SileroNetwork
from streamer.weights.manifest import MissingModel, require
from tools.bench import accuracy_rows as rows
from tools.bench.aligner import RATE, aligned, require_aligner
from tools.bench.certainty import Found
from tools.bench.plays import speech_start_s
from tools.bench.reference import ReferenceRecording, positive, read, recordings
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

Seconds = npt.NDArray[np.float64]

MODELS = ("moonshine-tiny-en", "moonshine-base-en")
TURNS = 9
"""Of each recording with all requests."""

OF_MEDIAN = 1.2533 * 1.4826
"""Standard error of a median, times the root of the number of values, over their median deviation;
of a normal distribution."""

REQUESTS = {
    "text alone": SegmentRequest(interim=True),
    "and certainty": SegmentRequest(),
    "and words": SegmentRequest(words=True),
}


@dataclass
class Cost:
    """CPU time of some recordings.

    Attributes:
        turns_s: For each recording and turn, the seconds of each of `REQUESTS`.
        audio_s: Length of all recordings, in seconds.
    """

    turns_s: list[list[tuple[float, ...]]] = field(default_factory=list)
    audio_s: float = 0.0

    def row(self, name: str) -> Row:
        """CPU time in milliseconds for a second of audio."""
        turns = [np.array(each) for each in self.turns_s]
        return {
            "model": name,
            "text alone, ms/s": self._per_second([each[:, 0] for each in turns]),
            "certainty, ms/s": self._per_second([each[:, 1] - each[:, 0] for each in turns]),
            "words, ms/s": self._per_second([each[:, 2] - each[:, 1] for each in turns]),
        }

    def _per_second(self, spent_s: Sequence[Seconds]) -> Row:
        """The sum over the recordings, each with its values in all turns."""
        medians = [float(np.median(each)) for each in spent_s]
        errors = [
            OF_MEDIAN * float(np.median(np.abs(each - median))) / len(each) ** 0.5
            for each, median in zip(spent_s, medians, strict=True)
        ]
        error = float(np.sqrt(np.square(errors).sum()))
        return {
            "mean": 1000 * sum(medians) / self.audio_s,
            "standard error": 1000 * error / self.audio_s,
        }


def turns_of(model: Moonshine, samples: Floats, turns: int) -> Iterator[tuple[float, ...]]:
    """CPU seconds of each of `REQUESTS`, in each turn; each turn begins with another one."""
    names = list(REQUESTS)
    for turn in range(turns):
        first = turn % len(names)
        spent_s = dict.fromkeys(names, 0.0)
        for name in (*names[first:], *names[:first]):
            begun_s = time.process_time()
            model.infer_request(samples, REQUESTS[name])
            spent_s[name] = time.process_time() - begun_s
        yield tuple(spent_s.values())


def measure(
    name: str, files: Sequence[ReferenceRecording], console: Console, turns: int = TURNS
) -> tuple[Found, Cost]:
    """Transcribe each recording as a whole, and compare.

    Raises:
        MissingModel: The model's weights are not on this machine.
    """
    found, cost = Found(), Cost()
    model, ungated = (Moonshine(require(name), gate=gate) for gate in (True, False))
    (weights,) = require(SILERO_FOLDER).glob("*.onnx")
    network = SileroNetwork(weights)
    for recording in track(files, "transcribing", console=console):
        samples, rate = read(recording.path, 0)
        samples = soxr.resample(samples, rate, RATE)
        cost.audio_s += len(samples) / RATE
        request = SegmentRequest(words=True, speech_start_s=speech_start_s(network, samples))
        output: dict[str, Any] = model.infer_request(samples, request)
        words = output.get("words", ())
        found.add(words, aligned(samples, recording.transcript), recording.transcript)
        cost.turns_s.append([*turns_of(ungated, samples, turns)])
    return found, cost


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.word_times", "Times, certainty and cost of words.")
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--model", action="append", choices=MODELS, help="default: all")
    parser.add_argument("--turns", type=positive, default=TURNS, help="turns for the cost of each")
    args = parser.parse_args()
    require_aligner(parser)
    files = recordings(args.audio)
    progress = Console(stderr=True)
    results: dict[str, list[Row]] = {"times": [], "certainty": [], "marked": [], "cost": []}
    for name in args.model or MODELS:
        try:
            found, cost = measure(name, files, progress, args.turns)
        except MissingModel as problem:
            progress.print(f"{name} is left out: {problem}")
            continue
        results["times"] += rows.times_rows(name, [found])
        results["certainty"].append(rows.certainty_row(name, [found]))
        results["marked"] += rows.marked_rows(name, [found])
        results["cost"].append(cost.row(name))
    console = Console(width=max(Console().width, 120))
    for title, listed in results.items():
        if listed:
            console.print(table(title, listed))
    write_json("words.json", results)


if __name__ == "__main__":
    main()
