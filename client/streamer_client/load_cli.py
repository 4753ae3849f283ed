"""`streamer-client load`: many live streams at once, and a line for each thing worth knowing."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from streamer_client.api import DEFAULT_URL
from streamer_client.audio import open_audio
from streamer_client.errors import AudioFileError, StreamerError
from streamer_client.failures import ExitCode
from streamer_client.formats import AudioFormat
from streamer_client.load import LoadPlan, LoadReport, generate
from streamer_client.render import printable

PROGRAM = "streamer-client load"
BLOCK_BYTES = 1 << 20


LONGEST_S = 86_400


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        audio, audio_format = read_recordings(given.audio)
        plan = LoadPlan(
            given.addr,
            given.streams,
            given.seconds,
            audio,
            audio_format,
            interim_results=given.interim_results,
            token=given.token,
        )
        report = generate(plan, lambda passed_s: _show(passed_s, given.seconds))
    except (AudioFileError, ValueError) as error:
        return _fail(ExitCode.USAGE, error)
    except StreamerError as error:
        return _fail(ExitCode.CANNOT_CONNECT, error)
    except KeyboardInterrupt:
        return _fail(ExitCode.INTERRUPTED, "interrupted")
    sys.stderr.write("\r" + " " * 40 + "\r" if sys.stderr.isatty() else "")
    print_report(report, as_json=given.json)
    return ExitCode.SERVER_ERRORS if report.lost or report.unfinished else ExitCode.OK


def read_recordings(path: Path) -> tuple[bytes, AudioFormat]:
    """A recording, or those of a folder that share the format of its first, one after another.

    Raises:
        AudioFileError: There is none.
    """
    paths = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    parts: list[bytes] = []
    wanted: AudioFormat | None = None
    for candidate in paths:
        try:
            with open_audio(candidate) as file:
                wanted = wanted or file.format
                if file.format == wanted:
                    parts += file.blocks(BLOCK_BYTES)
        except AudioFileError:
            if not path.is_dir():
                raise
    if wanted is None:
        raise AudioFileError(f"there is no recording in {path}")
    return b"".join(parts), wanted


def print_report(report: LoadReport, *, as_json: bool) -> None:
    """A line for each figure, or one JSON object."""
    figures: dict[str, object] = {
        "audio_seconds": round(report.audio_s, 1),
        "events": dict(report.events),
        "lost": report.lost,
        "unfinished": report.unfinished,
        "final_ms": _percentiles(report.final_ms),
        "after_inactive_ms": _percentiles(report.settled_ms),
        "after_stop_ms": _percentiles(report.closing_ms),
        "active_ms": _percentiles(report.active_ms),
        "sent_late_ms": _percentiles(report.late_ms),
    }
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        sys.stdout.write(f"{name:<18}{'  '.join(f'{k} {v}'.strip() for k, v in pairs)}\n")


def _percentiles(values: list[float]) -> dict[str, int]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return {f"p{q}": round(ordered[round(last * q / 100)]) for q in (50, 95, 99)} if ordered else {}


def _show(passed_s: float, seconds: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{max(0.0, passed_s):.0f} of {seconds:.0f} s")
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Play many live streams to a server and time what comes back."
    )
    parser.add_argument("-a", "--addr", default=DEFAULT_URL, metavar="URL", help="ws://… address")
    parser.add_argument("--audio", type=Path, required=True, help="a recording, or a folder")
    parser.add_argument("-n", "--streams", type=_positive, default=8, help="at once")
    parser.add_argument("--seconds", type=_seconds, default=30.0, help="that each of them plays")
    parser.add_argument("--interim-results", action="store_true")
    parser.add_argument("--token", help="access token")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _positive(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= LONGEST_S:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds from 1 to {LONGEST_S}"
        )
    return value


def _fail(code: ExitCode, problem: object) -> int:
    sys.stderr.write(f"{PROGRAM}: {printable(str(problem))}\n")
    return code
