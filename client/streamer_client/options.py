"""The command's arguments."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

from streamer_client.api import DEFAULT_URL
from streamer_client.event_text import OutputFormat
from streamer_client.failures import ExitCode

PROGRAM = "streamer-client"
_RECONNECT_S = 300.0
_RAW_DEFAULTS = {"rate": 16_000, "channels": 1, "bit_depth": 16, "float": False}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. `input` is `None` for the microphone and `-` for standard input."""

    input: str | None
    rate: int
    channels: int
    bit_depth: int
    is_float: bool
    address: str
    chunk_bytes: int | None
    real_time: bool
    interim_results: bool
    output: OutputFormat
    output_file: Path | None
    token: str | None
    model: str | None
    vad: Mapping[str, float]
    trace_id: str | None
    timeout_s: float
    reconnect_s: float | None
    verbose: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"{PROGRAM}: {message} (see {PROGRAM} --help)\n")


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Parse `arguments`, `sys.argv` when `None`.

    Raises:
        SystemExit: they are wrong, after one line on standard error; or help was asked for.
    """
    parser = _build_parser()
    given = parser.parse_args(arguments)
    if given.input != "-" and not given.mic:
        for name, default in _RAW_DEFAULTS.items():
            if getattr(given, name) != default:
                flag = "--" + name.replace("_", "-")
                parser.error(f"{flag} is only for raw audio ('-i -') and --mic: a file has its own")
    if given.mic and (given.bit_depth != 16 or given.float):
        parser.error("--mic records 16-bit integers: leave out --bit-depth and --float")
    if given.float and given.bit_depth not in (32, 64):
        parser.error("--float needs --bit-depth 32 or 64")
    if given.bit_depth == 64 and not given.float:
        parser.error("--bit-depth 64 needs --float")
    output_file: Path | None = given.output_file
    if output_file is not None and not output_file.parent.is_dir():
        parser.error(f"cannot write {output_file}: there is no directory {output_file.parent}")
    if output_file is not None and output_file.is_dir():
        parser.error(f"cannot write {output_file}: it is a directory")
    if output_file is not None and output_file.exists() and not given.mic:
        source = Path(given.input)
        if source.exists() and output_file.samefile(source):
            parser.error(f"{output_file} is the recording itself: give -o another name")
    token: str = given.token or os.environ.get("STREAMER_TOKEN", "")
    if not (token.isascii() and (token == "" or token.isprintable())):
        parser.error("the token has characters that no HTTP header can carry")
    return Options(
        input=None if given.mic else given.input,
        rate=given.rate,
        channels=given.channels,
        bit_depth=given.bit_depth,
        is_float=given.float,
        address=given.addr,
        chunk_bytes=given.chunk_size,
        real_time=given.real_time,
        interim_results=given.interim_results,
        output=given.output,
        output_file=output_file,
        token=token or None,
        model=given.model,
        vad=dict(given.vad),
        trace_id=given.trace_id,
        timeout_s=given.timeout,
        reconnect_s=given.reconnect,
        verbose=given.verbose,
    )


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Stream audio to a Streamer server and print the events that come back.",
        epilog="exit codes: 0 done, 2 usage or bad input, 3 cannot connect, 4 refused, "
        "5 connection lost, server going away, or audio lost in reconnecting, "
        "6 the server reported errors, 130 interrupted",
        allow_abbrev=False,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "-i",
        "--input",
        metavar="FILE",
        help="WAV, FLAC, OGG, MP3 … file, or '-' for raw PCM on standard input",
    )
    source.add_argument("--mic", action="store_true", help="record until Ctrl-C")

    raw = parser.add_argument_group("raw audio ('-i -') and --mic")
    raw.add_argument(
        "--rate",
        type=_positive,
        default=_RAW_DEFAULTS["rate"],
        metavar="HZ",
        help="frames per second (default: %(default)s)",
    )
    raw.add_argument(
        "--channels",
        type=_positive,
        default=_RAW_DEFAULTS["channels"],
        metavar="N",
        help="interleaved channels (default: %(default)s)",
    )
    raw.add_argument(
        "--bit-depth",
        type=int,
        choices=(8, 16, 24, 32, 64),
        default=_RAW_DEFAULTS["bit_depth"],
        help="bits a sample (default: %(default)s)",
    )
    raw.add_argument("--float", action="store_true", help="samples are floats, not integers")

    server = parser.add_argument_group("server")
    server.add_argument(
        "-a", "--addr", default=DEFAULT_URL, metavar="URL", help="default: %(default)s"
    )
    server.add_argument("--token", help="access token (default: $STREAMER_TOKEN)")
    server.add_argument("--model", help="one of the server's models (default: its first)")
    server.add_argument(
        "--vad",
        action="append",
        type=_setting,
        default=[],
        metavar="KEY=VALUE",
        help="voice detection, such as min_silence_ms=300; may be repeated",
    )
    server.add_argument("--interim-results", action="store_true", help="show text as it forms")
    server.add_argument(
        "--trace-id", metavar="ID", help="W3C traceparent to continue (default: a new trace)"
    )
    server.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds to wait for the connection (default: %(default)g)",
    )
    server.add_argument(
        "--reconnect",
        nargs="?",
        const=_RECONNECT_S,
        type=_seconds,
        metavar="S",
        help="when the connection is lost, connect again and continue; give up after this time in "
        "seconds (default: %(const)g)",
    )

    sending = parser.add_argument_group("sending and output")
    sending.add_argument(
        "--chunk-size",
        type=_positive,
        metavar="BYTES",
        help="bytes of audio a message, at most (default: 20 ms of it from a microphone or with "
        "--real-time, else 250 ms)",
    )
    sending.add_argument("--real-time", action="store_true", help="send no faster than it plays")
    sending.add_argument(
        "--output",
        choices=("text", "jsonl", "srt", "vtt"),
        default="text",
        help="default: %(default)s",
    )
    sending.add_argument(
        "-o",
        "--output-file",
        type=Path,
        metavar="FILE",
        help="where the transcript goes (default: standard output)",
    )
    sending.add_argument("-v", "--verbose", action="store_true", help="show all events")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {_version()}")
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
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _setting(text: str) -> tuple[str, float]:
    key, separator, number = text.partition("=")
    try:
        value = json.loads(number)
    except ValueError:
        value = None
    if not key or not separator or isinstance(value, bool) or not isinstance(value, int | float):
        example = f"{key}=600" if separator and key.endswith("_ms") else "threshold=0.6"
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=NUMBER, such as {example}")
    return key, value


def _version() -> str:
    try:
        return version("streamer")
    except PackageNotFoundError:
        return f"from {Path(__file__).parent} (Python {sys.version.split()[0]})"
