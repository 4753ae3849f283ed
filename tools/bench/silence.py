"""How long a silence should end a segment: `make accuracy-silence AUDIO=folder`.

A speaker's recordings are joined to one stream, with pauses between them, as a person speaks who
is listened to live. The segmenter is run over it with one `min_silence_ms` after another, and each
transcriber over the segments that come of it. In every round the pauses are others, and the whole
begins a little later. Differences are of the same round, so most of what varies between rounds is
not in them. As `make accuracy-curve`, nothing goes through a socket here.
"""

import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import soxr
from rich.console import Console
from rich.progress import Progress

from streamer.config.segmentation import VadConfig
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import Play, ScoredChannel, cuts, probabilities, settings_of
from tools.bench.pictures import draw_silence
from tools.bench.reference import (
    LATER_MS,
    ROUNDS,
    ReferenceRecording,
    error_rate,
    positive,
    read,
    recordings,
    standard_error,
)
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

MODELS = ("moonshine-tiny-en", "moonshine-base-en")

TRIED_MS = (400, 480, 550, 600, 700, 800, 900, 1_000, 1_200)
REFERENCE_MS = 550
"""The shortest silence that cuts few sentences; the others are compared with it."""

GAPS_MS = (300, 2_000)
"""The shortest and the longest pause between two recordings, besides their own margins."""


def speaker_of(recording: ReferenceRecording) -> str:
    """A name for who speaks, from folder and file: LibriSpeech begins with the speaker's number."""
    name = recording.path.stem
    return f"{recording.path.parent}/{name.replace('_', '-').partition('-')[0]}"


def stream_of(parts: Sequence[Floats], chance: random.Random) -> Floats:
    """Recordings at 16 kHz one after another, with a pause before each but the first."""
    pieces = [parts[0]]
    for part in parts[1:]:
        gap = chance.randint(*GAPS_MS) * SAMPLE_RATE // 1000
        pieces += [np.zeros(gap, np.float32), part]
    return np.concatenate(pieces)


def plays(
    chosen: Sequence[ReferenceRecording], turn: int, network: SileroNetwork
) -> Iterator[Play]:
    """The streams of one round; those of a round are the same for all models."""
    ordered = sorted(chosen, key=speaker_of)
    for speaker, of_speaker in groupby(ordered, key=speaker_of):
        found = list(of_speaker)
        chance = random.Random(f"{turn} {Path(speaker).name}")
        parts = [soxr.resample(*read(each.path, 0), SAMPLE_RATE) for each in found]
        later = np.zeros(turn * LATER_MS * SAMPLE_RATE // 1000, np.float32)
        samples = np.concatenate([later, stream_of(parts, chance)])
        spoken = " ".join(each.transcript for each in found)
        yield Play(spoken, "", ScoredChannel(samples, probabilities(samples, network)))


def waited_ms(min_silence_ms: int) -> int:
    """From the last speech to the end of a segment: the silence, in whole windows."""
    window_ms = 1000 * WINDOW // SAMPLE_RATE
    return -(-min_silence_ms // window_ms) * window_ms


def errors_of_round(streams: Sequence[Play], model: Moonshine) -> dict[int, float]:
    """The word error rate for each silence."""
    fresh = [Play(each.reference, "", each.track) for each in streams]
    found: dict[int, float] = {}
    for ms in TRIED_MS:
        settings = settings_of(VadConfig(min_silence_ms=ms))
        cut = [play.cut(settings, model)[0] for play in fresh]
        found[ms] = error_rate([(each.reference, each.streamed) for each in cut])
    return found


def pauses(streams: Sequence[Play], min_silence_ms: int) -> tuple[int, float]:
    """Segments, and the share of interims in pauses that speech takes back."""
    settings = settings_of(VadConfig(min_silence_ms=min_silence_ms))
    found = [cut for play in streams for cut in cuts(play.track, settings)]
    taken_back = sum(cut.resumed for cut in found)
    return len(found), taken_back / max(1, taken_back + len(found))


def mean(values: Sequence[float]) -> dict[str, float | None]:
    """With its standard error."""
    error = standard_error(values)
    return {
        "mean": round(statistics.fmean(values), 3),
        "standard error": None if error is None else round(error, 3),
    }


def rows_of(
    model: str, rounds: Sequence[Mapping[int, float]], of_pauses: Mapping[int, tuple[int, float]]
) -> list[Row]:
    """The lines of one model."""
    return [
        {
            "model": model,
            "min_silence_ms": ms,
            "waited, ms": waited_ms(ms),
            "word errors, %": mean([each[ms] for each in rounds]),
            f"more than with {REFERENCE_MS}": mean(
                [each[ms] - each[REFERENCE_MS] for each in rounds]
            ),
            "segments": of_pauses[ms][0],
            "eager interims taken back, %": round(100 * of_pauses[ms][1]),
        }
        for ms in TRIED_MS
    ]


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.silence", "How long a silence should end a segment.")
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="times that each is played")
    args = parser.parse_args()
    network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
    chosen = [*recordings(None), *(recordings(args.audio) if args.audio else [])]
    found: dict[str, list[dict[int, float]]] = {name: [] for name in MODELS}
    models = {name: Moonshine(require(name)) for name in MODELS}
    of_pauses: dict[int, tuple[int, float]] = {}
    with (
        ThreadPoolExecutor(len(MODELS)) as threads,  # a model is for one thread at a time
        Progress(console=Console(stderr=True)) as progress,
    ):
        for turn in progress.track(range(args.rounds), description="playing"):
            streams = list(plays(chosen, turn, network))
            of_pauses = of_pauses or {ms: pauses(streams, ms) for ms in TRIED_MS}
            errors = threads.map(partial(errors_of_round, streams), models.values())
            for name, each in zip(MODELS, errors, strict=True):
                found[name].append(each)
    rows = [row for name in MODELS for row in rows_of(name, found[name], of_pauses)]
    Console(width=200).print(table("silence that ends a segment", rows))
    results = {
        "rounds": args.rounds,
        "words": sum(len(each.transcript.split()) for each in chosen),
        "default": VadConfig().min_silence_ms,
        "rows": rows,
    }
    draw_silence(results, write_json("silence.json", results).parent)


if __name__ == "__main__":
    main()
