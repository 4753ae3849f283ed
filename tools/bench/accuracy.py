"""Word error rate through the socket, beside that of the same model on the whole files.

    make accuracy                          the recordings that come with the model
    make accuracy AUDIO=path/to/folder     a folder with a manifest.json
    make accuracy MODEL=moonshine-base-en  one model; without it, Tiny, Base, and Base with interims
                                           of Tiny

The folder's manifest is described in `reference.py`. With noise in it there are also error rates of
whole files with noise added, and a count of the pieces of noise that gave a text: see
`noise_alone.py`. Where speech is found is compared too, if the manifest has labels for it: see
`vad.py`.

What the socket adds is segmentation: words lost or changed where the audio is cut. Both are
counted: words that only the socket lost, and recordings whose first word only the socket lost.

The words of the whole files have times, which are compared with those of an aligner, and
confidence: see `certainty.py`.

Each recording is played twenty times, a little later every time, and all is counted. Results are
written to `build/results/accuracy.json`, what was transcribed to `build/results/plays.jsonl`: with
`--plays` the tables are made again from such a file.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tools.bench import accuracy_rows as rows
from tools.bench import noise, noise_alone, vad
from tools.bench.aligner import MISSING, alignment
from tools.bench.pictures import draw_marking
from tools.bench.plays import WHOLE, Play, Rounds, Setup, played, plays
from tools.bench.reference import LATER_MS, MODEL, ROUNDS, positive, recordings
from tools.bench.result_files import RESULTS, Row, table, write_json
from tools.command_line import tool_parser

MODELS = (MODEL, "moonshine-base-en")
PAIR = Setup("Base, interims by Tiny", "moonshine-base-en", "moonshine-tiny-en")
PAIR_ROUNDS = 3
"""Of Base with interims by Tiny, whose finals are those of Base."""

TITLES = {
    "models": "word error rate, %",
    "pairs": "finals with a second model for interims: texts that are not those of one model",
    "noise": "word error rate of whole files with noise, %",
    "pieces": "noise alone",
    "lost": "lost only through the socket",
    "times": "words against the aligner's",
    "certainty": "certainty of words",
    "marked": "words marked by their certainty",
    "vad": "voice activity",
}


def measured(args: argparse.Namespace, setups: Sequence[Setup], progress: Console) -> list[Play]:
    """Play all recordings."""
    noises = noise.noises(args.audio) if args.audio else []
    noisy = args.noise_rounds or args.rounds if noises else 0
    rounds = Rounds(args.rounds, min(args.rounds, PAIR_ROUNDS), noisy, noises)
    files = recordings(args.audio)
    file = RESULTS / "plays.jsonl"
    total = rounds.total(setups) * len(files)
    return [*track(played(setups, files, rounds, file), "playing", total=total, console=progress)]


def tables(
    found: Sequence[Play], setups: Sequence[Setup], audio: Path | None, progress: Console
) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each table, by its name in the results; and the points of the picture."""
    single = [setup.name for setup in setups if not setup.interim_model]
    pairs = [rows.pair_rows(found, s.name, s.model) for s in setups if s.interim_model]
    alone = [rows.error_rates(found, name) for name in single]
    yield "models", alone + [rates for rates, _ in pairs]
    yield "pairs", [compared for _, compared in pairs]
    yield "noise", [row for name in single if (row := rows.noise_rates(found, name))]
    yield "lost", [rows.losses_row(found, name) for name in single]
    if MISSING:
        progress.print(f"no times and certainty of words: {MISSING} (needs Python 3.11)")
        return
    files = track(recordings(audio), "aligning", console=progress)
    truth = {recording.path.name: alignment(recording) for recording in files}
    said = {name: rows.found_words(found, name, truth, LATER_MS / 1000) for name in single}
    yield "times", [row for name in single for row in rows.times_rows(name, said[name])]
    yield "certainty", [rows.certainty_row(name, said[name]) for name in single]
    yield "marked", [row for name in single for row in rows.marked_rows(name, said[name])]
    yield "curve", [rows.curve_rows(name, said[name]) for name in single]


def by_group(found: Sequence[Play], setup: str, *, each: bool) -> list[Row]:
    """Error rates of the groups of recordings, or of each one."""
    groups: dict[str, list[Play]] = {}
    for play in found:
        groups.setdefault(play.name if each else play.group, []).append(play)
    listed = []
    for name, members in groups.items():
        of_group = rows.rounds(members, setup, WHOLE)
        if of_group:
            listed.append(
                {"recordings": name, "files": len(of_group[0]), **rows.error_rates(members, setup)}
            )
    return listed


def main() -> None:
    """Measure and print."""
    parser = tool_parser("tools.bench.accuracy", "Word error rate, whole and through the socket.")
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--model", action="append", help="may be given again; default: all")
    parser.add_argument("--each", action="store_true", help="a row for each file")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="times that each is played")
    parser.add_argument("--noise-rounds", type=positive, help="with noise; default: as many")
    parser.add_argument("--plays", type=Path, help="a file of plays, instead of playing")
    args = parser.parse_args()
    progress, console = Console(stderr=True), Console(width=max(Console().width, 150))
    setups = [Setup(name, name) for name in args.model or MODELS]
    setups += [] if args.model else [PAIR]
    found = plays(args.plays) if args.plays else measured(args, setups, progress)
    results = dict(tables(found, setups, args.audio, progress))
    if args.audio:
        single = [setup for setup in setups if not setup.interim_model]
        results["pieces"] = noise_alone.measure(single, args.audio, progress)
        files = vad.labelled(args.audio)
        scores = [vad.measure(e, files, progress) for e in ("silero", "webrtc") if files]
        results["vad"] = [asdict(score) for score in scores]
    for setup in setups:
        if not setup.interim_model:
            console.print(table(setup.name, by_group(found, setup.name, each=args.each)))
    for name, title in TITLES.items():
        if results.get(name):
            console.print(table(title, results[name]))
    folder = write_json("accuracy.json", results).parent
    if "curve" in results:
        draw_marking(results, folder)


if __name__ == "__main__":
    main()
