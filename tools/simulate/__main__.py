"""Simulate servers under load, or compute what a number of streams needs: `make simulate`.

    make simulate                          the published costs of docs/performance
    make simulate RESULTS=build/results    those of your own benchmarks
    make simulate STREAMS=3000             what so many streams need [MODEL=moonshine-tiny-en]
                                           [SPEECH=0.4] [FACTOR=0.03]

With a number of streams, the formula of docs/scaling.md is computed, and nothing is simulated.
Without, what one machine does is simulated first and compared with `make bench`; then pools of any
size, workers on other machines, and failures. Prints tables, and writes JSON and a picture to
`build/results/`. The same costs give the same figures.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tools.bench.result_files import ROOT, table
from tools.command_line import tool_parser
from tools.simulate.sizing import CONVERSATION, formula, needed
from tools.simulate.stream_costs import DEFAULT, MODELS, NoResultsError, published_costs

MOST_STREAMS = 10_000_000
WIDTH = 180
"""Characters of a line of a table."""


def main() -> None:
    """Compute or simulate, and print."""
    parser = tool_parser("tools.simulate", "Simulate servers under load.")
    parser.add_argument(
        "--results", type=Path, default=ROOT / "docs/performance", help="results of benchmarks"
    )
    parser.add_argument(
        "--streams", type=_streams, help="print only what so many live streams need"
    )
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--model", type=_model, help=f"{', '.join(MODELS)} (default: {DEFAULT})")
    model.add_argument(
        "--factor",
        type=_number("a real-time factor", 10.0),
        help="real-time factor of another model, from `streamer models check`",
    )
    parser.add_argument(
        "--speech",
        type=_number("the part of the audio that is speech", 1.0),
        help=f"part of the audio that is speech (default: {CONVERSATION}, conversations)",
    )
    given = parser.parse_args()
    if given.streams is None and (given.model or given.factor or given.speech):
        parser.error("--model, --factor and --speech are for a number of streams: give --streams")
    try:
        if given.streams is None:
            from tools.simulate.tables import simulate

            simulate(given.results, Console(width=WIDTH))
            return
        costs = published_costs(given.results, given.model or DEFAULT, factor=given.factor)
    except NoResultsError as error:
        parser.error(str(error))
    speech_share = given.speech or CONVERSATION
    title = f"{MODELS[given.model or DEFAULT]}" if given.factor is None else "another model"
    row = needed(given.streams, speech_share, costs)
    out = Console(width=WIDTH)
    out.print(table(f"{title}; {speech_share:g} of the audio is speech", [row]))
    out.print(formula(given.streams, speech_share, costs), highlight=False)


def _streams(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST_STREAMS:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a number of live streams: a whole number from 1 to {MOST_STREAMS}"
    )


def _model(text: str) -> str:
    if text in MODELS:
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a model with published results: {', '.join(MODELS)}; for another one, "
        "give its real-time factor with --factor (make: FACTOR=)"
    )


def _number(what: str, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if 0 < value <= most:
            return value
        raise argparse.ArgumentTypeError(
            f"{text!r} is not {what}: a number above 0, at most {most:g}"
        )

    return number


if __name__ == "__main__":
    main()
