"""The options of the command, for `argparse`: names, defaults, help."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from streamer.cli.command_line import CommandLine
from streamer.version import UNKNOWN, installed_version
from streamer_client.api import DEFAULT_URL
from streamer_client.misplaced import instead_of_option
from streamer_client.option_values import (
    PROGRAM,
    output_format,
    positive,
    reconnect_seconds,
    seconds,
    setting,
)

RAW_DEFAULTS: Mapping[str, int] = MappingProxyType(
    {"rate": 16_000, "channels": 1, "bit_depth": 16, "float": False}
)
"""Of the options for raw audio, by their names in the parsed arguments."""

_RECONNECT_S = 300.0


def build_parser() -> CommandLine:
    """All options, grouped as the help shows them."""
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
        type=positive,
        metavar="HZ",
        help=f"frames per second (default: {RAW_DEFAULTS['rate']})",
    )
    raw.add_argument(
        "--channels",
        type=positive,
        metavar="N",
        help=f"interleaved channels (default: {RAW_DEFAULTS['channels']})",
    )
    raw.add_argument(
        "--bit-depth",
        type=int,
        choices=(8, 16, 24, 32, 64),
        help=f"bits a sample (default: {RAW_DEFAULTS['bit_depth']})",
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
        type=setting,
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
        type=seconds,
        default=10.0,
        metavar="S",
        help="seconds to wait for the connection (default: %(default)g)",
    )
    server.add_argument(
        "--reconnect",
        nargs="?",
        const=_RECONNECT_S,
        type=reconnect_seconds,
        metavar="S",
        help="when the connection is lost, connect again and continue; give up after this time in "
        "seconds (default: %(const)g)",
    )

    sending = parser.add_argument_group("sending and output")
    sending.add_argument(
        "--chunk-size",
        type=positive,
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
        type=output_format,
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


def _version() -> str:
    version = installed_version()
    if version != UNKNOWN:
        return version
    return f"from {Path(__file__).parent} (Python {sys.version.split()[0]})"
