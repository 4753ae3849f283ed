"""The command line: builds the parser and runs the command; without a command, the server.

Worker processes import this file too, so nothing is imported at its head that only a command needs.
"""

import argparse
import sys
from pathlib import Path

from streamer import __version__

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def main() -> int:
    """Entry point; returns the exit code."""
    try:
        args = _parser().parse_args()
        code: int = args.run(args)
        return code
    except KeyboardInterrupt:  # before the command handles it
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    from streamer.cli import load, models
    from streamer.cli.command_line import CommandLine

    parser = CommandLine(
        without_command="without a command, streamer is the server",
        prog="streamer",
        description="Serve a CPU-bound audio model: audio streams in over a WebSocket, "
        "observations stream out.",
        epilog="Every setting can also come from the environment: STREAMER_SECTION__KEY=value. "
        "See docs/configuration.md.",
    )
    parser.set_defaults(run=_serve)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings; see config.json; or a folder that has one",
    )
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", metavar="N", help="port; 0 picks a free one (default: 8080)")
    parser.add_argument("--log-level", help="debug, info, warning or error (default: info)")
    parser.add_argument("--version", action="version", version=f"streamer {__version__}")
    commands = parser.add_subparsers(
        title="commands",
        metavar="COMMAND",
        description="Without a command: the server.",
    )
    models.add_parser(commands)
    load.add_parser(commands)
    return parser


def _serve(args: argparse.Namespace) -> int:
    from streamer.cli.serve import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
