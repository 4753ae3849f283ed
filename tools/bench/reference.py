"""Recordings with transcripts, and how their words are compared.

The manifest of a folder is {"files": [{"path", "transcript", "subset", "category"}, …]}; those
without a transcript, or of another category than "asr", are left out.

Quantized weights change a word here and there when a recording begins some milliseconds later, so
benchmarks play each in several rounds, with a little more silence before it every time.
"""

import argparse
import json
import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jiwer
import numpy as np
import soundfile

from streamer.onnx.graph import Floats
from streamer.weights.manifest import require

MODEL = "moonshine-tiny-en"
"""Has the recordings."""

ROUNDS = 20
LATER_MS = 7
"""Milliseconds of silence by which each round begins later than the one before."""

SHIPPED = {
    "two_cities.wav": "It was the best of times, it was the worst of times, it was the age of "
    "wisdom, it was the age of foolishness, it was the epoch of belief, it was the epoch of "
    "incredulity, it was the season of light, it was the season of darkness, it was the spring of "
    "hope, it was the winter of despair, we had everything before us, we had nothing before us, we "
    "were all going direct to heaven, we were all going direct the other way. In short, the period "
    "was so far like the present period, that some of its noisiest authorities insisted on its "
    "being received, for good or for evil, in the superlative degree of comparison only.",
    "beckett.wav": "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
}


@dataclass(frozen=True)
class ReferenceRecording:
    """A file and the words in it."""

    group: str
    path: Path
    transcript: str


def recordings(folder: Path | None) -> list[ReferenceRecording]:
    """Those of the folder's manifest that have a transcript; without a folder, the shipped ones."""
    if folder is None:
        return [
            ReferenceRecording("shipped", require(MODEL) / name, t) for name, t in SHIPPED.items()
        ]
    files = json.loads((folder / "manifest.json").read_text())["files"]
    return [
        ReferenceRecording(entry.get("subset", ""), folder / entry["path"], entry["transcript"])
        for entry in files
        if entry.get("transcript") and entry.get("category", "asr") == "asr"
    ]


def read(path: Path, silence_ms: int) -> tuple[Floats, int]:
    """A file's first channel after some silence, and its sample rate."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.pad(samples[:, 0], (silence_ms * rate // 1000, 0)), rate


def words(text: str) -> str:
    """Lower case, without punctuation."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower().replace("’", "'")))


def error_rate(pairs: list[tuple[str, str]]) -> float:
    """Pooled word error rate in percent of (reference, transcript) pairs."""
    return 100 * float(jiwer.wer([words(r) for r, _ in pairs], [words(t) for _, t in pairs]))


def lost_words(reference: str, transcript: str) -> list[int]:
    """Places of the words of the reference that the transcript lacks."""
    (alignment,) = jiwer.process_words(words(reference), words(transcript)).alignments
    deleted = [chunk for chunk in alignment if chunk.type == "delete"]
    return [at for chunk in deleted for at in range(chunk.ref_start_idx, chunk.ref_end_idx)]


def right_words(reference: str, transcript: str) -> int:
    """How many words of the reference the transcript has."""
    return int(jiwer.process_words(words(reference), words(transcript)).hits)


class Transcripts(NamedTuple):
    """The words of a recording, its text as a whole, and its text in segments."""

    reference: str
    whole: str
    streamed: str


class Losses(NamedTuple):
    """Words and first words that are in the whole text and not in the segments."""

    words: int
    first_words: int


def losses(done: Sequence[Transcripts]) -> Losses:
    """What only the segments lost."""
    pairs = [
        (lost_words(each.reference, each.whole), lost_words(each.reference, each.streamed))
        for each in done
    ]
    return Losses(
        sum(len(set(streamed) - set(whole)) for whole, streamed in pairs),
        sum(0 in streamed and 0 not in whole for whole, streamed in pairs),
    )


def standard_error(of_rounds: Sequence[float]) -> float | None:
    """Of the mean of some rounds: for these recordings, not for others. None of a single round."""
    if len(of_rounds) < 2:
        return None
    return float(statistics.stdev(of_rounds) / math.sqrt(len(of_rounds)))


def positive(text: str) -> int:
    """A whole number of at least 1, from the command line."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
