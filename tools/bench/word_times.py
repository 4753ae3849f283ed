"""How good the times and the certainty of words are, and what they cost.

    make accuracy-words                          the recordings that come with the model
    make accuracy-words AUDIO=path/to/folder     a folder with a manifest.json, as for accuracy.py

The truth for times is a forced alignment of the transcript by PocketSphinx, which is wrong by some
tens of milliseconds itself. Recordings with a word that its dictionary lacks have none. Compared
are the words that the model has right.

For certainty, a word counts as wrong if it is substituted or inserted. The area under the curve
(AUC) is the probability that a wrong word has less confidence than a right one.

Costs are CPU time of whole recordings: the least of several runs, which take turns. Results are
written to `build/results/words.json`.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jiwer
import numpy as np
import soxr
from pocketsphinx import Decoder
from rich.console import Console
from rich.progress import track

from streamer.model import SegmentRequest
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.factory import SILERO_FOLDER
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import MissingModel, require
from tools.bench.accuracy import ReferenceRecording, read, recordings, words
from tools.bench.result_files import Row, table, write_json

MODELS = ("moonshine-tiny-en", "moonshine-base-en")
RATE = Moonshine.sample_rate
WITHIN_MS = (50, 100, 200)
MARKED_BELOW = (0.3, 0.5, 0.7, 0.9)
RUNS = 5
"""Runs of each recording with each request."""

REQUESTS = {
    "text alone": SegmentRequest(interim=True),
    "and certainty": SegmentRequest(),
    "and words": SegmentRequest(words=True),
}


class Aligned(NamedTuple):
    """A word of the transcript, and where the aligner has it, in seconds."""

    word: str
    start_s: float
    end_s: float


@dataclass
class Found:
    """What a model's words are worth.

    Attributes:
        starts_ms: Of each word that both have: how much later than the aligner's it starts.
        ends_ms: How much later it ends.
        confidences: Of every word.
        wrong: Whether it is.
        cpu_s: Least CPU time of all recordings, for each of `REQUESTS`.
        audio_s: Length of all recordings.
    """

    starts_ms: list[float] = field(default_factory=list)
    ends_ms: list[float] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(REQUESTS, 0.0))
    audio_s: float = 0.0


def aligned(samples: Floats, transcript: str) -> list[Aligned]:
    """Where the words of a transcript are in float32 [n]; none if the aligner lacks a word."""
    decoder = Decoder(samprate=RATE, lm=None, loglevel="FATAL")
    try:
        decoder.set_align_text(words(transcript))
    except RuntimeError:
        return []
    decoder.start_utt()
    decoder.process_raw((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    frames_per_s = 100
    found = [
        Aligned(
            segment.word.partition("(")[0],
            segment.start_frame / frames_per_s,
            (segment.end_frame + 1) / frames_per_s,
        )
        for segment in decoder.seg() or ()
    ]
    spoken = [each for each in found if each.word[0] not in "<["]
    return spoken if [each.word for each in spoken] == words(transcript).split() else []


def speech_start_s(network: SileroNetwork, samples: Floats) -> float:
    """Where the detector finds speech in float32 [n], as the default segmenter would."""
    audio = np.pad(samples, (CONTEXT, -len(samples) % WINDOW))
    probabilities, _ = network.follow(audio, network.start())
    found = [number for number, each in enumerate(probabilities) if each >= 0.5]
    return found[0] * WINDOW / RATE if found else 0.0


def compare(output: dict[str, Any], truth: Sequence[Aligned], transcript: str, into: Found) -> None:
    """Enter the words of an output."""
    pieces, owners = list[str](), list[int]()
    for number, word in enumerate(output.get("words", ())):
        for piece in words(word["text"]).split():  # "well-known" is two
            pieces.append(piece)
            owners.append(number)
    (alignment,) = jiwer.process_words(words(transcript), " ".join(pieces)).alignments
    wrong: set[int] = set()
    for chunk in alignment:
        said = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
        if chunk.type != "equal":
            wrong.update(owners[at] for at in said)
            continue
        for reference, at in zip(range(chunk.ref_start_idx, chunk.ref_end_idx), said, strict=True):
            if truth and owners.count(owners[at]) == 1:
                word, expected = output["words"][owners[at]], truth[reference]
                into.starts_ms.append(1000 * (word["start_time"] - expected.start_s))
                into.ends_ms.append(1000 * (word["end_time"] - expected.end_s))
    for number in sorted(set(owners)):
        into.confidences.append(output["words"][number]["confidence"])
        into.wrong.append(number in wrong)


def measure(
    model: Moonshine, files: Sequence[ReferenceRecording], console: Console, runs: int = RUNS
) -> Found:
    """Transcribe each recording as a whole, and compare."""
    found = Found()
    (weights,) = require(SILERO_FOLDER).glob("*.onnx")
    network = SileroNetwork(weights)
    for recording in track(files, "aligning", console=console):
        samples, rate = read(recording.path, 0)
        samples = soxr.resample(samples, rate, RATE)
        found.audio_s += len(samples) / RATE
        request = SegmentRequest(words=True, speech_start_s=speech_start_s(network, samples))
        output = model.infer_request(samples, request)
        compare(output, aligned(samples, recording.transcript), recording.transcript, found)
        least_s = dict.fromkeys(REQUESTS, np.inf)
        for _ in range(runs):
            for name, each in REQUESTS.items():
                begun_s = time.process_time()
                model.infer_request(samples, each)
                least_s[name] = min(least_s[name], time.process_time() - begun_s)
        for name, seconds in least_s.items():
            found.cpu_s[name] += float(seconds)
    return found


def area_under_curve(confidences: Sequence[float], wrong: Sequence[bool]) -> float | None:
    """How often a wrong word has less confidence than a right one; ties count half."""
    values, is_wrong = np.array(confidences), np.array(wrong, dtype=bool)
    if is_wrong.all() or not is_wrong.any():
        return None
    pairs = values[~is_wrong][:, None] - values[is_wrong][None]
    return round(float((pairs > 0).mean() + (pairs == 0).mean() / 2), 3)


def times_row(name: str, edge: str, errors_ms: Sequence[float]) -> Row:
    """How far one edge of the words is from the aligner's."""
    far = np.abs(errors_ms)
    within: Row = {
        f"within {limit} ms, %": round(100 * float((far <= limit).mean()), 1) for limit in WITHIN_MS
    }
    return {
        "model": name,
        "edge": edge,
        "words": len(far),
        **within,
        "mean error, ms": round(float(far.mean())),
    }


def certainty_row(name: str, found: Found) -> Row:
    """How well confidence finds wrong words."""
    return {
        "model": name,
        "words": len(found.wrong),
        "wrong, %": round(100 * float(np.mean(found.wrong)), 1),
        "AUC": area_under_curve(found.confidences, found.wrong),
    }


def marked_rows(name: str, found: Found) -> list[Row]:
    """What is found by marking words below a confidence."""
    confidences, wrong = np.array(found.confidences), np.array(found.wrong)
    rows: list[Row] = []
    for limit in MARKED_BELOW:
        marked = confidences < limit
        rows.append(
            {
                "model": name,
                "marked below": limit,
                "words marked, %": _percent(marked),
                "of these wrong, %": _percent(wrong[marked]),
                "of the wrong ones marked, %": _percent(marked[wrong]),
            }
        )
    return rows


def cost_row(name: str, found: Found) -> Row:
    """CPU time in milliseconds for a second of audio."""
    alone, certainty, with_words = (
        1000 * found.cpu_s[request] / found.audio_s for request in REQUESTS
    )
    return {
        "model": name,
        "text alone, ms/s": round(alone, 2),
        "certainty, ms/s": round(certainty - alone, 2),
        "words, ms/s": round(with_words - certainty, 2),
    }


def _percent(flags: "np.ndarray[Any, np.dtype[np.bool_]]") -> float | None:
    return round(100 * float(flags.mean()), 1) if len(flags) else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Times, certainty and cost of words.")
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--model", action="append", choices=MODELS, help="default: all")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs for the cost of each")
    args = parser.parse_args()
    files = recordings(args.audio)
    progress = Console(stderr=True)
    results: dict[str, list[Row]] = {"times": [], "certainty": [], "marked": [], "cost": []}
    for name in args.model or MODELS:
        try:
            model = Moonshine(require(name))
        except MissingModel as problem:
            progress.print(f"{name} is left out: {problem}")
            continue
        found = measure(model, files, progress, args.runs)
        results["times"] += [
            times_row(name, edge, errors_ms)
            for edge, errors_ms in (("start", found.starts_ms), ("end", found.ends_ms))
            if errors_ms
        ]
        results["certainty"].append(certainty_row(name, found))
        results["marked"] += marked_rows(name, found)
        results["cost"].append(cost_row(name, found))
    console = Console(width=max(Console().width, 120))
    for title, rows in results.items():
        if rows:
            console.print(table(title, rows))
    write_json("words.json", results)


if __name__ == "__main__":
    main()
