"""Word error rate through the socket, beside that of the same model on the whole files.

    make accuracy                          the recordings that come with the model
    make accuracy AUDIO=path/to/folder     a folder with a manifest.json
    make accuracy MODEL=moonshine-base-en  one model; without it, Tiny and Base

The manifest is {"files": [{"path", "transcript", "subset", "category"}, …]}; those without a
transcript, or of another category than "asr", are left out. Where speech is found is compared too,
if the manifest has labels for it: see `vad.py`. With noise in the manifest there are error rates of
whole files with noise added, and a count of the pieces of noise that gave a text: see `noise.py`.

What the socket adds is segmentation: words lost or changed where the audio is cut. Both are
counted: words that only the socket lost, and recordings whose first word only the socket lost.

Quantized weights change a word here and there when a recording begins some milliseconds later, so
each is played twenty times, with a little more silence before it every time, and all is counted.
How far the rounds differ gives the standard error of that: for these recordings, not for others.
Results are written to `build/results/accuracy.json`.
"""

import argparse
import asyncio
import json
import re
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import jiwer
import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from streamer_client import Event, transcribe
from tools.bench import noise, vad
from tools.bench.result_files import write_json
from tools.bench.serving import server

MODEL = "moonshine-tiny-en"
"""Has the recordings. `word_error_rate` and `lost` in the results are of the first model."""

MODELS = (MODEL, "moonshine-base-en")
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
    """A file, its words, and the transcripts of the model alone and through the socket."""

    group: str
    path: Path
    transcript: str
    whole: str = ""
    streamed: str = ""


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


def words(text: str) -> str:
    """Lower case, without punctuation."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower().replace("’", "'")))


def read(path: Path, silence_ms: int) -> tuple[Floats, int]:
    """A file's first channel after some silence, and its sample rate."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.pad(samples[:, 0], (silence_ms * rate // 1000, 0)), rate


async def streamed(samples: Floats, rate: int, url: str) -> str:
    """The transcript of audio through the socket."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        soundfile.write(path, samples, rate, subtype="FLOAT")
        return await _transcript(path, url)


async def _transcript(path: Path, url: str) -> str:
    events: AsyncIterator[Event] = transcribe(path, url)
    return " ".join([event.text or "" async for event in events if event.type == "segment"])


def whole(samples: Floats, rate: int, model: Moonshine) -> str:
    """The transcript of audio, inferred in one piece."""
    return transcribed(soxr.resample(samples, rate, model.sample_rate), model)


def transcribed(samples: Floats, model: Moonshine) -> str:
    """The transcript of audio at the model's rate."""
    return str(model.infer(samples)["text"])


def error_rate(pairs: list[tuple[str, str]]) -> float:
    """Pooled word error rate in percent of (reference, transcript) pairs."""
    return 100 * float(jiwer.wer([words(r) for r, _ in pairs], [words(t) for _, t in pairs]))


def lost_words(reference: str, transcript: str) -> list[int]:
    """Places of the words of the reference that the transcript lacks."""
    (alignment,) = jiwer.process_words(words(reference), words(transcript)).alignments
    deleted = [chunk for chunk in alignment if chunk.type == "delete"]
    return [at for chunk in deleted for at in range(chunk.ref_start_idx, chunk.ref_end_idx)]


def rates(rounds: list[list[ReferenceRecording]]) -> dict[str, float | None]:
    """Word error rates in percent, whole and through the socket, and how far they are apart."""
    done = [recording for each in rounds for recording in each]
    whole, socket = _rates(done)
    apart = [socket - whole for whole, socket in map(_rates, rounds)]
    error = statistics.stdev(apart) / len(apart) ** 0.5 if len(apart) > 1 else None
    return {
        "whole": whole,
        "socket": socket,
        "socket over whole": socket - whole,
        "standard error": error,
    }


def _rates(done: list[ReferenceRecording]) -> tuple[float, float]:
    whole = error_rate([(r.transcript, r.whole) for r in done])
    return whole, error_rate([(r.transcript, r.streamed) for r in done])


def losses(done: list[ReferenceRecording]) -> dict[str, int]:
    """What only the socket lost: words, and first words."""
    pairs = [
        (lost_words(r.transcript, r.whole), lost_words(r.transcript, r.streamed)) for r in done
    ]
    return {
        "words": sum(len(set(streamed) - set(whole)) for whole, streamed in pairs),
        "first_words": sum(0 in streamed and 0 not in whole for whole, streamed in pairs),
    }


def report(done: list[ReferenceRecording], *, each: bool) -> Table:
    """A row for each group (or file), and one for all."""
    table = Table(title="word error rate, %")
    table.add_column("recordings", overflow="fold")
    for column in ("files", "words", "whole", "socket"):
        table.add_column(column, justify="right")
    groups: dict[str, list[ReferenceRecording]] = {}
    for recording in done:
        groups.setdefault(recording.path.name if each else recording.group, []).append(recording)
    libri = [r for r in done if "librispeech" in r.group]
    rows = {**groups, **({"all librispeech": libri} if libri else {}), "all": done}
    for name, members in rows.items():
        count = sum(len(words(member.transcript).split()) for member in members)
        whole, socket = _rates(members)
        files = len({member.path for member in members})
        table.add_row(name, str(files), str(count), f"{whole:.2f}", f"{socket:.2f}")
    return table


def positive(text: str) -> int:
    """A whole number of at least 1, from the command line."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def played(
    name: str, audio: Path | None, rounds: int, model: Moonshine
) -> list[list[ReferenceRecording]]:
    """Every recording in each round, with its transcripts."""
    done: list[list[ReferenceRecording]] = [[] for _ in range(rounds)]
    with server(config={"model": {"type": "moonshine", "path": name}}) as (url, _):
        plays = [(r, turn) for turn in range(rounds) for r in recordings(audio)]
        for r, turn in track(plays, f"transcribing, {name}", console=Console(stderr=True)):
            sound = read(r.path, turn * LATER_MS)
            transcript = asyncio.run(streamed(*sound, url))
            done[turn].append(replace(r, whole=whole(*sound, model), streamed=transcript))
    return done


def in_noise(
    folder: Path, noises: Sequence[Floats], rounds: int, model: Moonshine
) -> dict[str, float]:
    """Word error rates in percent of whole files with noise, by level."""
    found: dict[str, list[tuple[str, str]]] = {f"{db} dB": [] for db in noise.LEVELS_DB}
    plays = [
        (turn, place, r) for turn in range(rounds) for place, r in enumerate(recordings(folder))
    ]
    for turn, place, r in track(plays, "with noise", console=Console(stderr=True)):
        samples, rate = read(r.path, turn * LATER_MS)
        speech = soxr.resample(samples, rate, model.sample_rate)
        for db in noise.LEVELS_DB:
            text = transcribed(noise.mixed(speech, noises, place + turn, db), model)
            found[f"{db} dB"].append((r.transcript, text))
    return {level: error_rate(pairs) for level, pairs in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Word error rate, whole and through the socket.")
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--model", action="append", help="may be given again; default: Tiny, Base")
    parser.add_argument("--each", action="store_true", help="a row for each file")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="times that each is played")
    args = parser.parse_args()
    console = Console(width=max(Console().width, 140))
    noises = noise.noises(args.audio) if args.audio else []
    result: dict[str, object] = {}
    rows: list[dict[str, object]] = []
    for name in args.model or MODELS:
        model = Moonshine(require(name))
        rounds = played(name, args.audio, args.rounds, model)
        done = [recording for each in rounds for recording in each]
        found, lost = rates(rounds), {"rounds": args.rounds, **losses(done)}
        row: dict[str, object] = {"model": name, **found}
        console.rule(name)
        console.print(report(done, each=args.each))
        error = found["standard error"]
        console.print(
            f"the socket's over the whole files': {found['socket over whole']:+.2f} points"
            + (f", standard error {error:.2f}" if error is not None else "")
        )
        console.print(
            f"lost only through the socket, in {args.rounds} rounds: "
            f"{lost['words']} words, {lost['first_words']} first"
        )
        if noises:
            levels = in_noise(args.audio, noises, args.rounds, model)
            said = noise.said_to_noise(noises, model)
            console.print(
                "with noise, %: "
                + ", ".join(f"{level}: {rate:.2f}" for level, rate in levels.items())
            )
            console.print(
                f"of {said.pieces} pieces of noise, {said.passed} passed the gate and "
                f"{len(said.texts)} gave a text: {', '.join(map(repr, said.texts)) or 'none'}"
            )
            row |= {
                **levels,
                "pieces of noise": said.pieces,
                "passed the gate": said.passed,
                "gave a text": len(said.texts),
            }
        rows.append(row)
        result = result or {"word_error_rate": found, "lost": lost}
    files = vad.labelled(args.audio) if args.audio else []
    scores = [vad.measure(e, files, Console(stderr=True)) for e in ("silero", "webrtc") if files]
    if scores:
        console.print(vad.report(scores))
    write_json("accuracy.json", {**result, "vad": [asdict(row) for row in scores], "models": rows})


if __name__ == "__main__":
    main()
