"""The command's arguments."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from streamer.cli.command_line import CommandLine
from streamer.config.file_problems import file_problem
from streamer.config.paths import exists, is_dir, is_file
from streamer.version import UNKNOWN, installed_version
from streamer_client.api import DEFAULT_URL
from streamer_client.formats import AudioFormat
from streamer_client.misplaced import instead_of_option, instead_of_recordings
from streamer_client.transcript import OutputFormat

PROGRAM = "streamer-client"
_RECONNECT_S = 300.0
_RAW_DEFAULTS: Mapping[str, int] = MappingProxyType(
    {"rate": 16_000, "channels": 1, "bit_depth": 16, "float": False}
)


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
    as_is: bool
    interim_results: bool
    eager: bool
    words: bool
    keyterms: Sequence[str]
    output: OutputFormat
    output_file: Path | None
    token: str | None
    model: str | None
    vad: Mapping[str, float]
    trace_id: str | None
    timeout_s: float
    reconnect_s: float | None
    verbose: bool
    raw: Mapping[str, int]
    """Those of `--rate`, `--channels`, `--bit-depth` and `--float` that were given."""

    def raw_unlike(self, audio_format: AudioFormat) -> list[str]:
        """Return the options for raw audio that were given and differ from a format."""
        actual = {
            "rate": audio_format.sample_rate,
            "channels": audio_format.channels,
            "bit_depth": audio_format.bit_depth,
            "float": audio_format.is_float,
        }
        return [
            _flag(name) if name == "float" else f"{_flag(name)} {value}"
            for name, value in self.raw.items()
            if value != actual[name]
        ]


OUTPUT_OF_SUFFIX: Mapping[str, OutputFormat] = MappingProxyType(
    {".srt": "srt", ".vtt": "vtt", ".json": "json", ".jsonl": "jsonl", ".txt": "text"}
)
"""What the name of `--output-file` means when there is no `--output`."""


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Parse `arguments`, `sys.argv` when `None`.

    Raises:
        SystemExit: they are wrong, after one line on standard error; or help was asked for.
    """
    parser = _build_parser()
    given, rest = parser.parse_known_args(arguments)
    if any(argument.startswith("-") for argument in rest):
        parser.refuse(rest, given)
    given.input = _input(parser, [*given.files, *rest], given)
    raw = {name: value for name in _RAW_DEFAULTS if (value := getattr(given, name)) is not None}
    for name, default in _RAW_DEFAULTS.items():
        setattr(given, name, raw.get(name, default))
    if given.as_is:
        _check_as_is(parser, given, raw)
    elif given.input != "-" and not given.mic:
        for name, default in _RAW_DEFAULTS.items():
            if getattr(given, name) != default:
                parser.error(
                    f"{_flag(name)} is only for raw audio ('-') and --mic: a file has its own"
                )
    if given.mic and (given.bit_depth != 16 or given.float):
        parser.error("--mic records 16-bit integers: leave out --bit-depth and --float")
    if given.float and given.bit_depth not in (32, 64):
        parser.error("--float needs --bit-depth 32 or 64")
    if given.bit_depth == 64 and not given.float:
        parser.error("--bit-depth 64 needs --float")
    output_file: Path | None = given.output_file
    if output_file is not None and not is_dir(output_file.parent):
        parser.error(f"cannot write {output_file}: there is no directory {output_file.parent}")
    if output_file is not None and is_dir(output_file):
        parser.error(f"cannot write {output_file}: it is a directory")
    if output_file is not None and exists(output_file) and not given.mic:
        source = Path(given.input)
        if exists(source) and output_file.samefile(source):
            parser.error(f"{output_file} is the recording itself: give -o another name")
    if output_file is not None and not given.output and _output_of(output_file) is None:
        parser.error(
            f"the ending of {output_file} is not one of {', '.join(OUTPUT_OF_SUFFIX)}: "
            "use one of them, or give the format with --output"
        )
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
        as_is=given.as_is,
        interim_results=given.interim_results,
        eager=given.eager,
        words=given.words,
        keyterms=_keyterms(parser, given),
        output=given.output or _output_of(output_file) or "text",
        output_file=output_file,
        token=token or None,
        model=given.model,
        vad=dict(given.vad),
        trace_id=given.trace_id,
        timeout_s=given.timeout,
        reconnect_s=given.reconnect,
        verbose=given.verbose,
        raw=raw,
    )


def _input(parser: CommandLine, files: Sequence[str], given: argparse.Namespace) -> str | None:
    """The one recording, however it is given; None = the microphone."""
    inputs = [*files, *([given.input] if given.input is not None else [])]
    if given.mic and inputs:
        parser.error(f"{inputs[0]!r} and --mic are given: leave out one of them")
    if inputs and (instead := instead_of_recordings(inputs, PROGRAM)) is not None:
        parser.error(instead)
    if len(inputs) > 1:
        listed = " and ".join(map(repr, inputs))
        parser.error(
            f"one recording at a time: {listed} are given; for several: for f in *.wav; do "
            f'{PROGRAM} "$f" -o "$f.txt"; done'
        )
    if not inputs and not given.mic and is_file(given.addr):
        file = shlex.quote(given.addr)
        parser.error(f"{given.addr} is a file, and --addr takes an address: {PROGRAM} {file}")
    if not inputs and not given.mic:
        parser.error(
            f"there is nothing to send: give a recording ({PROGRAM} FILE), standard input "
            f"({PROGRAM} -) or the microphone ({PROGRAM} --mic)"
        )
    return inputs[0] if inputs else None


def _check_as_is(parser: CommandLine, given: argparse.Namespace, raw: Mapping[str, int]) -> None:
    if given.mic:
        parser.error("--as-is is for recordings: --mic has samples")
    if given.reconnect is not None:
        parser.error(
            "--as-is and --reconnect are given: leave out one of them, as a recording that is sent "
            "as it is cannot be continued in another connection"
        )
    if given.real_time and given.input == "-":
        parser.error("--as-is with --real-time needs a file: how long '-' is, is not known")
    for name in raw:
        if name != "channels" or given.input != "-":
            parser.error(
                f"{_flag(name)} is only for raw audio: with --as-is, a recording has its own"
            )


def _keyterms(parser: CommandLine, given: argparse.Namespace) -> list[str]:
    """Those of the command line, then those of the file, each once; the server checks them."""
    lines: list[str] = []
    if given.keyterms is not None:
        try:
            lines = given.keyterms.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            problem = file_problem(given.keyterms, error)
            hint = f"; for one term: --keyterm {shlex.quote(str(given.keyterms))}"
            is_file = "/" in str(given.keyterms) or given.keyterms.suffix
            is_term = isinstance(error, FileNotFoundError) and not is_file
            parser.error(f"argument --keyterms: {problem}{hint if is_term else ''}")
    return list(dict.fromkeys([*given.keyterm, *filter(None, map(str.strip, lines))]))


def _build_parser() -> CommandLine:
    parser = CommandLine(
        elsewhere=instead_of_option,
        prog=PROGRAM,
        description="Send audio to a Streamer server, and print the results.",
        epilog="exit codes: 0 done, 2 usage or bad input, 3 cannot connect, 4 refused, "
        "5 connection lost, server going away, or audio lost in reconnecting, "
        "6 the server reported errors, 130 interrupted",
    )
    source = parser.add_argument_group("what to send (one of these)")
    source.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="a recording (WAV, MP3, M4A, WebM, OGG, FLAC, …), or '-' for standard input: a "
        "recording or raw PCM",
    )
    source.add_argument("-i", "--input", metavar="FILE", help="the same as FILE")
    source.add_argument("--mic", action="store_true", help="record until Ctrl-C")

    raw = parser.add_argument_group(
        "raw audio ('-') and --mic",
        "If standard input begins with the header of a recording, these options have no effect.",
    )
    raw.add_argument(
        "--rate",
        type=_positive,
        metavar="HZ",
        help=f"frames per second (default: {_RAW_DEFAULTS['rate']})",
    )
    raw.add_argument(
        "--channels",
        type=_positive,
        metavar="N",
        help=f"interleaved channels (default: {_RAW_DEFAULTS['channels']})",
    )
    raw.add_argument(
        "--bit-depth",
        type=int,
        choices=(8, 16, 24, 32, 64),
        help=f"bits a sample (default: {_RAW_DEFAULTS['bit_depth']})",
    )
    raw.add_argument(
        "--float", action="store_true", default=None, help="samples are floats, not integers"
    )

    server = parser.add_argument_group("server")
    server.add_argument(
        "-a",
        "--addr",
        default=DEFAULT_URL,
        metavar="URL",
        help="address of the server (default: %(default)s)",
    )
    server.add_argument("--token", help="access token (default: $STREAMER_TOKEN)")
    server.add_argument("--model", help="one of the server's models (default: the first one)")
    server.add_argument(
        "--vad",
        action="append",
        type=_setting,
        default=[],
        metavar="KEY=VALUE",
        help="voice detection, such as min_silence_ms=300; may be repeated",
    )
    server.add_argument(
        "--interim-results", action="store_true", help="show the text of a segment before it ends"
    )
    server.add_argument(
        "--eager",
        action="store_true",
        help="show the text in each pause; JSON has what tells whether the pause has ended it",
    )
    server.add_argument(
        "--words",
        action="store_true",
        help="request the time and the confidence of each word: JSON has them, and a terminal "
        "shows words with a low confidence dimmed",
    )
    server.add_argument(
        "--keyterm",
        action="append",
        default=[],
        metavar="TERM",
        help="a name or a rare word that people will probably say; may be repeated",
    )
    server.add_argument(
        "--keyterms", type=Path, metavar="FILE", help="a file with key terms, one a line"
    )
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
        type=_reconnect_seconds,
        metavar="S",
        help="when the connection is lost, connect again and continue; give up after this time in "
        "seconds (default: %(const)g)",
    )

    sending = parser.add_argument_group("sending and output")
    sending.add_argument(
        "--chunk-size",
        type=_positive,
        metavar="BYTES",
        help="largest message, in bytes of audio (default: 20 ms of audio from a microphone or "
        "with --real-time, else 250 ms)",
    )
    sending.add_argument("--real-time", action="store_true", help="send a recording in real time")
    sending.add_argument(
        "--as-is",
        action="store_true",
        help="send the bytes of a recording, and let the server decode them: compressed audio is a "
        "tenth of its samples. With '-', channels are mixed, unless --channels has their number",
    )
    sending.add_argument(
        "--output",
        type=_output_format,
        choices=("text", "json", "jsonl", "srt", "vtt"),
        help="default: by the name of --output-file (.srt, .vtt, .json, .jsonl, .txt), else text",
    )
    sending.add_argument(
        "-o",
        "--output-file",
        type=Path,
        metavar="FILE",
        help="file for the transcript (default: standard output)",
    )
    sending.add_argument("-v", "--verbose", action="store_true", help="show all events")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {_version()}")
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


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


def _reconnect_seconds(text: str) -> float:
    try:
        return _seconds(text)
    except argparse.ArgumentTypeError as error:
        if _is_number(text):
            raise
        # `--reconnect FILE` takes the file for its number.
        hint = f"; if it is the recording: {PROGRAM} {text} --reconnect"
        raise argparse.ArgumentTypeError(f"{error}{hint}") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _output_of(output_file: Path | None) -> OutputFormat | None:
    """The format that the file's name implies; None = there is no file, or its ending is unknown.

    A name without an ending, such as `/dev/stdout` or `transcript`, is for text.
    """
    if output_file is None:
        return None
    return OUTPUT_OF_SUFFIX.get(output_file.suffix.lower()) if output_file.suffix else "text"


def _setting(text: str) -> tuple[str, float]:
    key, separator, number = text.partition("=")
    try:
        value = json.loads(number)
    except ValueError:
        value = None
    if not key or not separator or isinstance(value, bool) or not isinstance(value, int | float):
        if text.lower() in ("off", "none", "no", "false", "0"):
            raise argparse.ArgumentTypeError(
                f"{text!r} is not KEY=NUMBER; everything, without voice detection, is processed at "
                "the address …/api/v1/simple: see --addr"
            )
        example = f"{key}=600" if separator and key.endswith("_ms") else "threshold=0.6"
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=NUMBER, such as {example}")
    return key, value


def _output_format(text: str) -> str:
    if Path(text).suffix or "/" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} is a file; did you mean -o {shlex.quote(text)}?"
        )
    return text


def _version() -> str:
    version = installed_version()
    if version != UNKNOWN:
        return version
    return f"from {Path(__file__).parent} (Python {sys.version.split()[0]})"
