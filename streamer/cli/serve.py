"""`streamer` without a command: load the configuration, set up the log, serve, report the end.

Importing this module imports the whole server; `streamer.__main__` does so only to serve.
"""

import argparse
import logging
import os
import sys
import time
from pathlib import Path

from streamer.access.tokens import Access
from streamer.config.schema import Config
from streamer.config.sources import TOKENS_VARIABLE, SettingsError, load_config, misnamed, parse
from streamer.inference.model_pools import Pools
from streamer.server import Announce, CannotServe, serve
from streamer.telemetry.logs import readable, set_up
from streamer.weights.manifest import ModelError
from streamer.weights.sample import sample_recording

FLAGS = ("host", "port", "log_level")
"""Command-line flags that are settings of the section `server`."""

CONFIG = "config.json"
"""The file that is read when `--config` is a folder."""

USAGE = 2
"""Exit code when the settings, the address or the weights cannot be used."""


def run(args: argparse.Namespace) -> int:
    """Serve with the parsed arguments; return the exit code."""
    flags = {flag: getattr(args, flag) for flag in FLAGS}
    overrides = {("server", flag): parse(text) for flag, text in flags.items() if text is not None}
    file: Path | None = args.config
    if file is not None and file.is_dir():
        file /= CONFIG
    try:
        config, access = _without_tokens(load_config(file, os.environ, overrides))
        set_up(config.server.log_level, config.telemetry.log_format)
        for line in misnamed(os.environ):
            logging.getLogger("streamer.settings").warning(line)
        folder = file.parent if file else Path()
        announce: Announce = _print if readable(config.telemetry.log_format) else _log
        return serve(
            config,
            access,
            folder.absolute(),
            announce,
            lambda address, pools: announce(welcome(address, pools, access.required)),
        )
    except (SettingsError, CannotServe, ModelError) as error:
        _print(f"streamer: {error}")
        return USAGE


def _without_tokens(config: Config) -> tuple[Config, Access]:
    """Split off the tokens, of which `Access` keeps digests only.

    They leave the environment too: worker processes, which run models of others, would inherit it.
    """
    os.environ.pop(TOKENS_VARIABLE, None)
    return config.without_tokens(), Access(config.access.tokens, time.monotonic)


def _log(text: str, level: int = logging.INFO) -> None:
    """Write an announcement to the log, whatever the log level."""
    announcements = logging.getLogger("streamer.announcements")
    announcements.setLevel(logging.INFO)
    announcements.log(level, text)


def _print(text: str, level: int = logging.INFO) -> None:
    """Print an announcement as it is; its words show how severe it is."""
    del level
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def welcome(address: str, pools: Pools, needs_token: bool) -> str:
    """What is announced when the server is ready: addresses, and a command to try.

    Args:
        address: Of the server.
        pools: Its workers.
        needs_token: Whether clients must have a token. None is shown: this may go into a log.
    """
    token = " --token TOKEN" if needs_token else ""
    socket_address = address.replace("http", "ws", 1)
    client = Path(sys.argv[0]).with_name("streamer-client")
    command = os.path.relpath(client) if client.is_file() else "streamer-client"
    return "\n".join(
        (
            f"Ready: {', '.join(pools.names)} in {pools.workers_alive} worker processes.",
            f"  in a browser    {address}/",
            f"  for programs    {socket_address}/api/v1/segmented   {socket_address}/api/v1/simple",
            f"  for operators   {address}/api/v1/info   {address}/api/v1/ready",
            "Try, in another terminal:",
            f"  {command} --real-time --interim-results"
            f" -a {socket_address}/api/v1/segmented{token} {_sample_recording()}",
            "Stop with Ctrl-C.",
        )
    )


def _sample_recording() -> str:
    """A recording to try with, whichever model is served."""
    recording = sample_recording()
    return "RECORDING.wav" if recording is None else os.path.relpath(recording)
