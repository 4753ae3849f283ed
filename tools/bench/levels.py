"""How well speech is found at each level: `make accuracy-levels AUDIO=folder`.

The recordings of the folder's `manifest.json` (see `vad.py`) are attenuated, rounded to 16 bits,
and given to Silero and the segmenter with the default settings; once with the gain on the
detector's input (`streamer/vad/gain.py`), and once without. Nothing goes through a socket here.
Results are written to `build/results/levels.json`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import track

from streamer.config.segmentation import VadConfig
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import SAMPLE_RATE, SileroNetwork
from streamer.weights.manifest import require
from tools.bench import vad
from tools.bench.curve import ScoredChannel, cuts, probabilities, settings_of
from tools.bench.result_files import Row, write_json
from tools.command_line import tool_parser

ATTENUATIONS_DB = (0, 20, 30, 40, 50)


def channels(path: Path) -> Iterator[Floats]:
    """Every channel of a file, float32 [n] at 16 kHz."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    for row in audio.T:
        yield np.asarray(soxr.resample(row, rate, SAMPLE_RATE), np.float32)


def attenuated(samples: Floats, attenuation_db: float) -> Floats:
    """Quieter, and rounded to 16 bits, as a client would send it."""
    quieter = samples * 10 ** (-attenuation_db / 20) * 32_768
    return np.asarray(np.clip(np.round(quieter), -32_768, 32_767) / 32_768, np.float32)


def find_speech(samples: Floats, network: SileroNetwork, *, gain: bool) -> list[vad.Interval]:
    """Intervals of speech in seconds."""
    scored = ScoredChannel(samples, probabilities(samples, network, gain=gain))
    found = [cut.speech for cut in cuts(scored, settings_of(VadConfig()))]
    return [(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in found]


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.levels", "How well speech is found at each level.")
    parser.add_argument("--audio", type=Path, required=True, help="a folder with a manifest.json")
    args = parser.parse_args()
    (weights,) = require("silero-vad").glob("*.onnx")
    network = SileroNetwork(weights)
    files = [(file, [*channels(file.path)]) for file in vad.labelled(args.audio)]
    runs = [(db, gain) for db in ATTENUATIONS_DB for gain in (False, True)]
    scores: dict[tuple[int, bool], vad.VadScore] = {}
    for attenuation_db, gain in track(runs, "finding speech", console=Console(stderr=True)):
        results = [
            (
                file,
                [
                    interval
                    for row in rows
                    for interval in find_speech(attenuated(row, attenuation_db), network, gain=gain)
                ],
            )
            for file, rows in files
        ]
        name = f"-{attenuation_db} dB, {'with' if gain else 'without'} gain"
        scores[attenuation_db, gain] = vad.score(name, results)
    Console(width=160).print(vad.report([*scores.values()]))
    write_json("levels.json", {"rows": summary(scores)})


def summary(scores: Mapping[tuple[int, bool], vad.VadScore]) -> list[Row]:
    """A row for each attenuation, with and without gain."""
    rows: list[Row] = []
    for attenuation_db in ATTENUATIONS_DB:
        without, gained = (scores[attenuation_db, gain] for gain in (False, True))
        rows.append(
            {
                "attenuation, dB": attenuation_db,
                "recall without gain": round(without.recall, 3),
                "with gain": round(gained.recall, 3),
                "false alarm without": round(without.false_alarm, 3),
                "with": round(gained.false_alarm, 3),
                "noise segments a minute without": round(without.noise_segments_a_minute, 2),
                "with the gain": round(gained.noise_segments_a_minute, 2),
            }
        )
    return rows


if __name__ == "__main__":
    main()
