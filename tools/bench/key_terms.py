"""What key terms change: errors on the words that were named, on all others, and what it costs.

    make accuracy-key-terms AUDIO=path/to/folder [MODEL=moonshine-tiny-en]

The folder has a manifest.json as for `accuracy.py`, and a keyterms.json:
{"files": {path: {"rare": [word, …], "distractors": [word, …]}}}, as the test sets of Le et al.,
"Contextualized Streaming End-to-End Speech Recognition with Trie-Based Deep Biasing and Shallow
Fusion" (2021, https://arxiv.org/abs/2104.02194) have for LibriSpeech. Each recording is inferred
as a whole without terms, with its rare words, with these and 10 or 100 distractors, and with the
distractors alone; as often as `accuracy.py` plays it, each time with a little more silence before
it. How far the rounds differ gives the standard errors: for these recordings, not for others.

An error on a rare word is one that was left out or replaced. A term is inserted if the transcript
has it more often than the recording. Results are written to `build/results/key_terms.json` after
each round.
"""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jiwer
import numpy as np
import soxr
from rich.console import Console
from rich.progress import track

from streamer.model import SegmentRequest
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tools.bench.reference import (
    LATER_MS,
    ROUNDS,
    positive,
    read,
    recordings,
    standard_error,
    words,
)
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

SILENCE = np.zeros(4_000, np.float32)
"""Audio from which a model reads the terms, and little else."""

MODELS = ("moonshine-tiny-en", "moonshine-base-en")

FEW = 10
"""Distractors of those that a recording has."""


@dataclass
class Counted:
    """Sums over the recordings of one round, or of all."""

    rare: int = 0
    rare_errors: int = 0
    others: int = 0
    other_errors: int = 0
    inserted: int = 0
    cpu_s: float = 0.0

    def add(self, other: "Counted") -> None:
        """Add another's sums."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def rare_percent(self) -> float:
        """Errors on rare words, in percent of these."""
        return 100 * self.rare_errors / max(self.rare, 1)

    @property
    def other_percent(self) -> float:
        """Errors on all other words, in percent of these."""
        return 100 * self.other_errors / max(self.others, 1)


def conditions(rare: Sequence[str], distractors: Sequence[str], seed: str) -> dict[str, list[str]]:
    """The terms of each condition, by its name."""
    unspoken = [word for word in distractors if word not in rare]
    few = random.Random(seed).sample(unspoken, min(FEW, len(unspoken)))
    return {
        "none": [],
        "rare": [*rare],
        f"rare + {FEW}": [*rare, *few],
        "rare + all distractors": [*rare, *unspoken],
        "distractors alone": unspoken,
    }


def count(reference: str, transcript: str, rare: Sequence[str], terms: Sequence[str]) -> Counted:
    """The errors of one transcript."""
    found = jiwer.process_words(words(reference), words(transcript))
    (spoken,), (alignment,) = found.references, found.alignments
    counted = Counted()
    wrong = {
        place
        for chunk in alignment
        if chunk.type != "equal"
        for place in range(chunk.ref_start_idx, chunk.ref_end_idx)
    }
    for place, word in enumerate(spoken):
        counted.rare += word in rare
        counted.rare_errors += word in rare and place in wrong
    counted.others = len(spoken) - counted.rare
    counted.other_errors = len(wrong) + found.insertions - counted.rare_errors
    counted.inserted = sum(
        max(0, _times(term, transcript) - _times(term, reference)) for term in terms
    )
    return counted


def _times(term: str, text: str) -> int:
    # Two spaces between words, so that neighbours do not share one.
    spread = f" {words(text)} ".replace(" ", "  ")
    return spread.count(f" {words(term).replace(' ', '  ')} ")


def play(model: Moonshine, audio: Path, turn: int) -> Iterator[tuple[str, Counted]]:
    """One round: a count for each recording and condition."""
    listed: Mapping[str, Mapping[str, list[str]]]
    listed = json.loads((audio / "keyterms.json").read_text())["files"]
    for recording in recordings(audio):
        name = str(recording.path.relative_to(audio))
        if name not in listed:
            continue
        samples, rate = read(recording.path, turn * LATER_MS)
        at_rate = soxr.resample(samples, rate, model.sample_rate)
        named = listed[name]
        given = [*conditions(named["rare"], named["distractors"], name).items()]
        random.Random(f"{name} {turn}").shuffle(given)
        for condition, terms in given:
            transcript, cpu_s = transcribed(model, at_rate, terms)
            counted = count(recording.transcript, transcript, named["rare"], terms)
            counted.cpu_s = cpu_s
            yield condition, counted


def transcribed(model: Moonshine, samples: Floats, terms: Sequence[str]) -> tuple[str, float]:
    """The transcript, and the seconds of processor time it took.

    The model has read the terms before, as from a stream's second segment on.
    """
    request = SegmentRequest(key_terms=tuple(terms))
    model.infer_request(SILENCE, request)
    started = time.process_time()
    output = model.infer_request(samples, request)
    return str(output["text"]), time.process_time() - started


def rows(model: str, rounds: Sequence[Mapping[str, Counted]], audio_s: float) -> list[Row]:
    """One for each condition.

    Errors are in percent of the words, and the standard errors, in points, are those of the
    difference to the first condition.

    Args:
        model: Name of it.
        rounds: What was counted in each, by condition.
        audio_s: Of one round.
    """
    found: list[Row] = []
    for condition in conditions([], [], ""):
        total = Counted()
        for each in rounds:
            total.add(each[condition])
        rare, others = (
            [getattr(r[condition], part) - getattr(r["none"], part) for r in rounds]
            for part in ("rare_percent", "other_percent")
        )
        without_s = sum(each["none"].cpu_s for each in rounds)
        found.append(
            {
                "model": model,
                "rounds": len(rounds),
                "terms": condition,
                "errors on rare words": total.rare_percent,
                "standard error": standard_error(rare),
                "on all others": total.other_percent,
                "its standard error": standard_error(others),
                "terms inserted": total.inserted,
                "CPU ms per s": 1e3 * total.cpu_s / (audio_s * len(rounds)),
                "more than none, %": round(100 * (total.cpu_s / without_s - 1), 1),
            }
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.key_terms", "What key terms change, and what they cost.")
    parser.add_argument("--audio", type=Path, required=True, help="a folder with a keyterms.json")
    parser.add_argument("--model", action="append", help="may be given again; default: all")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="times that each is played")
    args = parser.parse_args()
    names = json.loads((args.audio / "keyterms.json").read_text())["files"]
    lengths = (read(args.audio / name, 0) for name in names)
    audio_s = sum(len(samples) / rate for samples, rate in lengths)
    done: list[Row] = []
    for name in args.model or MODELS:
        model, rounds, found = Moonshine(require(name)), list[dict[str, Counted]](), list[Row]()
        for turn in track(range(args.rounds), name, console=Console(stderr=True)):
            counted: dict[str, Counted] = {}
            for condition, one in play(model, args.audio, turn):
                counted.setdefault(condition, Counted()).add(one)
            rounds.append(counted)
            found = rows(name, rounds, audio_s)
            write_json("key_terms.json", {"conditions": [*done, *found]})
        done += found
    Console(width=max(Console().width, 150)).print(table("key terms", done))


if __name__ == "__main__":
    main()
