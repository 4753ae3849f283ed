"""The command line: builds the parser and runs the command; without a command, the server.

Worker processes import this file too, so nothing is imported at its head that only a command needs.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

SERVER_OPTIONS = ("config", "host", "port", "log_level", "fetch")
"""Options that have no effect on a command."""


def main() -> int:
    """Entry point; returns the exit code."""
    from streamer.cli.command_line import open_missing_streams

    open_missing_streams()
    try:
        code = _run()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output has closed it, as `head` does. Flushing at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:  # before the command handles it
        return INTERRUPTED


def _run() -> int:
    try:
        args = _parser().parse_args()
    except SystemExit:  # after --help, whose text may still wait to be written
        sys.stdout.flush()
        raise
    given = [name for name in SERVER_OPTIONS if getattr(args, name) is not None]
    if given and args.run is not _serve:
        option = f"--{given[0].replace('_', '-')}"
        args.command_line.exit_with(f"{option} is only for the server, without a command")
    code: int = args.run(args)
    return code


def _parser() -> argparse.ArgumentParser:
    from streamer.cli import load, models
    from streamer.cli.command_line import CommandLine
    from streamer.cli.other_words import instead_of_command
    from streamer.config.guide import page

    parser = CommandLine(
        without_command="without a command, streamer starts the server",
        elsewhere=_setting,
        other_word=instead_of_command,
        prog="streamer",
        description="Serve an audio model on CPUs: clients send audio over a WebSocket, and get "
        "the results live.",
        epilog="Every setting can also come from the environment: STREAMER_SECTION__KEY=value. "
        f"See {page('configuration.md')}.",
    )
    parser.set_defaults(run=_serve)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration file, or a folder with a config.json",
    )
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port", metavar="N", help="port to listen on; 0 = a free one (default: 8080)"
    )
    parser.add_argument(
        "--log-level", metavar="LEVEL", help="debug, info, warning or error (default: info)"
    )
    parser.add_argument(
        "--fetch",
        action="store_true",
        default=None,
        help="download the weights that are missing without asking, and start",
    )
    parser.add_argument(
        "--version", action=_ShowVersion, nargs=0, help="show the version, and exit"
    )
    commands = parser.add_subparsers(
        title="commands",
        metavar="COMMAND",
        description="Without a command, streamer starts the server.",
    )
    models.add_parser(commands)
    load.add_parser(commands)
    return parser


def _setting(option: str) -> str | None:
    """How to give a setting that is no option of the command line."""
    from streamer.config.variables import variables_of

    name, _, value = option.lstrip("-").partition("=")
    if name.lower() in ("language", "lang"):
        return "each model has its own language: choose one with STREAMER_MODEL__PATH=… or 'model'"
    variables = variables_of(name) or variables_of(f"{name}s")  # such as --token, --worker
    if not variables:
        return None
    shown = "…" if not value or "token" in name.lower() else value  # a token is shown nowhere
    given = " or ".join(f"{variable}={shown}" for variable in variables[:3])
    return f"it is a setting: put {given} before the command, or into the file of --config"


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from streamer.version import installed_version

        sys.stdout.write(f"streamer {installed_version()}\n")
        parser.exit()


def _serve(args: argparse.Namespace) -> int:
    from streamer.cli.serve import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
