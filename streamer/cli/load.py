"""`streamer load`: many live streams at once, and a line for each figure.

Only what parsing needs is imported before the command runs.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from streamer.config.paths import is_dir

if TYPE_CHECKING:
    from streamer.load.load_report import LoadReport
    from streamer_client.formats import AudioFormat

PROGRAM = "streamer load"

READ_BLOCK_BYTES = 1 << 20
"""Bytes of a recording that are read at a time."""

DEFAULT_URL = "ws://localhost:8080/api/v1/segmented"
"""That of `streamer-client`; written here because its modules are not imported to parse."""

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "audio_seconds": "sent, by all streams together",
        "events": "number received, by type",
        "lost": "segments that began, and have neither a result nor an error",
        "unfinished": "streams that did not get `stopped`",
        "final_ms": "from the last speech that was sent to its `segment`",
        "shown_ms": "from the last speech that was sent to the first result with all of it",
        "after_inactive_ms": "from `inactive` to `segment`",
        "after_stop_ms": "from `stop` to the last `segment`",
        "active_ms": "from the first speech that was sent to its `active`",
        "sent_late_ms": "lateness of messages; above 20 ms this command is the bottleneck",
    }
)
"""By figure: what it is."""

LONGEST_S = 86_400
"""Seconds that a stream may play at most."""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the ``load`` command; the parsed arguments get ``run`` as the function to call."""
    parser = subparsers.add_parser(
        "load",
        help="play many live streams to a server, and measure when the results arrive",
        description="Play many live streams to a server, and measure when the results arrive.",
    )
    parser.add_argument(
        "-a", "--addr", metavar="URL", help=f"address of the server (default: {DEFAULT_URL})"
    )
    parser.add_argument(
        "--audio",
        type=Path,
        required=True,
        metavar="PATH",
        help="a recording, or a folder of recordings; they are repeated",
    )
    parser.add_argument(
        "-n",
        "--streams",
        type=_positive,
        default=8,
        metavar="N",
        help="number of streams at the same time (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="length of each stream in seconds (default: %(default)g)",
    )
    parser.add_argument(
        "--interim-results", action="store_true", help="request interims (default: no)"
    )
    parser.add_argument("--token", help="access token (default: $STREAMER_TOKEN)")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object (default: one figure a line)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command that was parsed; return the exit code. Errors are one line on stderr."""
    from streamer.load.generate import generate
    from streamer.load.plan import LoadPlan
    from streamer_client.connection import check_address
    from streamer_client.errors import StreamerError
    from streamer_client.failures import ExitCode, Progress, explain
    from streamer_client.refusals import shows_token

    address = args.addr or DEFAULT_URL
    token = args.token or os.environ.get("STREAMER_TOKEN") or None
    try:
        check_address(address)
        audio, audio_format = read_recordings(args.audio)
        plan = LoadPlan(
            address,
            args.streams,
            args.seconds,
            audio,
            audio_format,
            interim_results=args.interim_results,
            token=token,
        )
        report = generate(plan, lambda passed_s: _show_progress(passed_s, args.seconds))
    except StreamerError as error:
        return _fail(*explain(error, address, Progress(), token_given=shows_token(address, token)))
    except ValueError as error:
        return _fail(ExitCode.USAGE, error)
    except KeyboardInterrupt:
        return _fail(ExitCode.INTERRUPTED, "interrupted")
    sys.stderr.write("\r" + " " * 40 + "\r" if sys.stderr.isatty() else "")
    print_report(report, as_json=args.json)
    return ExitCode.SERVER_ERRORS if report.lost or report.unfinished else ExitCode.OK


def read_recordings(path: Path) -> tuple[bytes, "AudioFormat"]:
    """Read a recording, or those of a folder that share the format of its first one.

    Returns:
        Their samples one after another, as PCM, and their format.

    Raises:
        AudioFileError: There is none.
    """
    from streamer_client.audio import open_audio
    from streamer_client.errors import AudioFileError

    paths = sorted(p for p in path.rglob("*") if p.is_file()) if is_dir(path) else [path]
    parts: list[bytes] = []
    common: AudioFormat | None = None
    for candidate in paths:
        try:
            with open_audio(candidate) as file:
                audio_format = cast("AudioFormat", file.format)  # a server's environment decodes
                common = common or audio_format
                if audio_format == common:
                    parts += file.blocks(READ_BLOCK_BYTES)
                    for warning in file.warnings:
                        _note(f"{candidate}: {warning}")
        except AudioFileError:
            if not is_dir(path):
                raise
    if common is None:
        raise AudioFileError(f"there is no recording in {path}")
    return b"".join(parts), common


def print_report(report: "LoadReport", *, as_json: bool) -> None:
    """Print a line for each figure, or one JSON object."""
    figures = report.figures()
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        shown = "  ".join(f"{k} {v}".strip() for k, v in pairs) or "none"
        sys.stdout.write(f"{name:<18}{shown:<32}  {MEANINGS[name]}\n")


def _show_progress(passed_s: float, seconds: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{max(0.0, passed_s):.0f} of {seconds:.0f} s")
        sys.stderr.flush()


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


def _fail(code: int, problem: object) -> int:
    _note(str(problem))
    return code


def _note(line: str) -> None:
    from streamer_client.event_text import printable

    sys.stderr.write(f"{PROGRAM}: {printable(line)}\n")
