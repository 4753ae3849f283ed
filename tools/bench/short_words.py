"""How many short, quiet words the gate drops although the model has them right.

    make accuracy-short-words AUDIO=path/to/folder

The folder is as for `accuracy.py`. Single words, pairs of neighbours and phrases of six words are
cut out of the recordings at the times of an aligner, and put into silence, as an answer would be.
The audio is attenuated and rounded to 16 bits. What the model finds with its gate is compared with
what it finds without: a word is lost if only the second is right. Pieces that are shorter than the
least speech of a segment (0.2 s by default) are counted apart, because the detector gives them to
no model; and so are short answers ("yes", "no", "well", …). Results are written to
`build/results/short_words.json`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
from rich.console import Console
from rich.progress import track

from streamer.model import Dropped, Model
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tools.bench.aligner import RATE, aligned, require_aligner
from tools.bench.reference import LATER_MS, positive, read, recordings, right_words
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

MODELS = ("moonshine-tiny-en", "moonshine-base-en")
LEVELS_DB = (0, -50)
PHRASE = 6
LENGTHS = (1, 2, PHRASE)
"""Words of a piece."""

ROUNDS = 1
EDGE_S, FADE_S = 0.03, 0.01
"""Seconds of the recording that are kept around a piece, and that are faded within them."""

BEFORE_S, AFTER_S = 0.45, 0.25
"""Seconds of silence around a piece: the padding of a segment by default."""

MIN_SPEECH_S = 0.2
"""Seconds of a piece: `vad.min_speech_ms` by default."""

ANSWERS = {
    *("yes", "yeah", "no", "okay", "right", "sure", "well", "oh", "ah", "good", "fine", "true"),
    *("now", "never", "please", "thanks", "so", "here", "there", "one", "two", "three", "stop"),
}


LONG, SHORT, ANSWER, PHRASES = "at least 0.2 s", "shorter", "short answers", "six words"


@dataclass(frozen=True)
class SpokenPiece:
    """Some words, cut out: float32 [n] at 16 kHz."""

    text: str
    samples: Floats

    @property
    def kinds(self) -> list[str]:
        """The rows in which it counts."""
        if self.text.count(" ") + 1 == PHRASE:
            return [PHRASES]
        length_s = len(self.samples) / RATE - 2 * EDGE_S
        kinds = [LONG if length_s >= MIN_SPEECH_S else SHORT]
        return [*kinds, ANSWER] if self.text in ANSWERS else kinds


def pieces(folder: Path | None) -> list[SpokenPiece]:
    """All pieces of the recordings whose words the aligner has."""
    return [piece for r in recordings(folder) for piece in _pieces(r.path, r.transcript)]


def _pieces(path: Path, transcript: str) -> Iterator[SpokenPiece]:
    samples, rate = read(path, 0)
    samples = soxr.resample(samples, rate, RATE)
    spoken = aligned(samples, transcript)
    for length in LENGTHS:
        for first in range(len(spoken) - length + 1):
            some = spoken[first : first + length]
            begin, end = some[0].start_s - EDGE_S, some[-1].end_s + EDGE_S
            cut = samples[max(0, round(begin * RATE)) : round(end * RATE)].copy()
            fade = np.linspace(0, 1, round(FADE_S * RATE), dtype=np.float32)
            cut[: len(fade)] *= fade
            cut[-len(fade) :] *= fade[::-1]
            yield SpokenPiece(" ".join(each.word for each in some), cut)


def in_silence(piece: Floats, level_db: float, later_ms: int) -> Floats:
    """A piece as a quiet segment of 16 bits; the silence before it may be longer."""
    silence = round(BEFORE_S * RATE) + later_ms * RATE // 1000, round(AFTER_S * RATE)
    quiet = np.pad(piece, silence) * 10 ** (level_db / 20)
    return np.asarray(np.round(quiet * 32_768) / 32_768, np.float32)


@dataclass
class Counted:
    """Sums: pieces; texts that the gate dropped; and words that are right without it, or lost."""

    pieces: int = 0
    dropped: int = 0
    right: int = 0
    lost: int = 0

    def row(self) -> Row:
        """What is shown."""
        return {
            "pieces": self.pieces,
            "dropped": self.dropped,
            "right words without the gate": self.right,
            "of these lost": self.lost,
            "in a thousand": round(1000 * self.lost / self.right, 1) if self.right else None,
        }


class Comparison(NamedTuple):
    """A model with its gate and without."""

    gated: Model
    ungated: Model

    def enter(self, piece: SpokenPiece, samples: Floats, *into: Counted) -> None:
        """Enter a piece."""
        found = self.gated.gate(samples)
        dropped = found is not None
        if found is None:
            found = self.gated.infer(samples)
            dropped = isinstance(found, Dropped)
        text = self.ungated.infer(samples)["text"] if dropped else found["text"]
        right = right_words(piece.text, str(text))
        for sums in into:
            sums.pieces += 1
            sums.dropped += dropped
            sums.right += right
            sums.lost += right if dropped else 0


def measure(name: str, spoken: Sequence[SpokenPiece], rounds: int, progress: Console) -> list[Row]:
    """A row for each level, and for the answers among the single words."""
    folder = require(name)
    comparison = Comparison(Moonshine(folder), Moonshine(folder, gate=False))
    kinds = LONG, SHORT, ANSWER, PHRASES
    sums = {(level_db, kind): Counted() for level_db in LEVELS_DB for kind in kinds}
    plays = [(level_db, turn) for level_db in LEVELS_DB for turn in range(rounds)]
    for level_db, turn in track(plays, name, console=progress):
        for piece in spoken:
            samples = in_silence(piece.samples, level_db, turn * LATER_MS)
            comparison.enter(piece, samples, *(sums[level_db, kind] for kind in piece.kinds))
    return [
        {"model": name, "words": kind, "level, dB": level_db, **counted.row()}
        for (level_db, kind), counted in sums.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.short_words", "Short, quiet words that the gate drops.")
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--model", action="append", choices=MODELS, help="default: all")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="times that each is played")
    args = parser.parse_args()
    require_aligner(parser)
    progress, console = Console(stderr=True), Console(width=max(Console().width, 150))
    spoken = pieces(args.audio)
    rows = [
        row for name in args.model or MODELS for row in measure(name, spoken, args.rounds, progress)
    ]
    console.print(table("short, quiet words", rows))
    write_json("short_words.json", {"rounds": args.rounds, "rows": rows})


if __name__ == "__main__":
    main()
