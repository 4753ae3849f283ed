"""The command line: `streamer` serves, `streamer models …` looks after weights."""

import argparse
import logging
import os
import sys
from pathlib import Path

from streamer import __version__

FLAGS = ("host", "port", "log_level")


def main() -> int:
    """Entry point; returns the exit code."""
    try:
        return _run()
    except KeyboardInterrupt:  # before the server listens for it
        return 130


def _run() -> int:
    args = _parser().parse_args()
    if args.run is not None:
        code: int = args.run(args)
        return code
    return _serve(args)


def _parser() -> argparse.ArgumentParser:
    # Imported here, as in _serve: worker processes import this file too, and need none of it.
    from streamer.cli import load, models

    parser = argparse.ArgumentParser(
        prog="streamer",
        description="Serve a CPU-bound audio model: audio streams in over a WebSocket, "
        "observations stream out.",
        epilog="Every setting can also come from the environment: STREAMER_SECTION__KEY=value. "
        "See docs/configuration.md.",
    )
    parser.set_defaults(run=None)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings; see config.json")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", metavar="N", help="port; 0 picks a free one (default: 8080)")
    parser.add_argument("--log-level", help="debug, info, warning or error (default: info)")
    parser.add_argument("--version", action="version", version=f"streamer {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    models.add_parser(commands)
    load.add_parser(commands)
    return parser


def _serve(args: argparse.Namespace) -> int:
    from streamer.config.sources import SettingsError, load, misnamed, parse
    from streamer.listener import CannotServe
    from streamer.server import Say, serve
    from streamer.telemetry.logs import readable, set_up
    from streamer.weights.manifest import ModelError

    flags = {flag: getattr(args, flag) for flag in FLAGS}
    overrides = {("server", flag): parse(text) for flag, text in flags.items() if text is not None}
    try:
        config = load(args.config, os.environ, overrides)
        set_up(config.server.log_level, config.telemetry.log_format)
        for line in misnamed(os.environ):
            logging.getLogger("streamer.settings").warning(line)
        folder = args.config.parent if args.config else Path()
        say: Say = _say if readable(config.telemetry.log_format) else _announce
        return serve(config, folder.absolute(), say)
    except (SettingsError, CannotServe, ModelError) as error:
        _say(f"streamer: {error}")
        return 2


def _announce(text: str, level: int = logging.INFO) -> None:
    """Say it where only a machine listens, whatever the log level."""
    announcements = logging.getLogger("streamer.announcements")
    announcements.setLevel(logging.INFO)
    announcements.log(level, text)


def _say(text: str, level: int = logging.INFO) -> None:
    del level  # people see from the words how bad it is
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
