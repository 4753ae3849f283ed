"""`streamer` without a command: load the configuration, set up the log, serve, report the end.

Importing this module imports the whole server; `streamer.__main__` does so only to serve.
"""

import argparse
import contextlib
import logging
import os
import sys
import time
from pathlib import Path

from streamer.access.group_tickets import GroupTickets
from streamer.access.tokens import Access
from streamer.cli.first_start import provide_weights
from streamer.cli.welcome import ServedModel, WorkersReady, welcome
from streamer.config.paths import is_dir
from streamer.config.schema import Config
from streamer.config.secrets import SECRETS
from streamer.config.sources import SettingsError, load_config, parse, with_source
from streamer.config.variables import misnamed, token_of_client
from streamer.http.ports import CannotServe
from streamer.inference.model_pools import Pools
from streamer.models.missing import missing_models
from streamer.server import Announce, serve
from streamer.telemetry.logs import readable, set_up
from streamer.version import beside_each_other
from streamer.weights.manifest import ModelError

FLAGS = ("host", "port", "log_level")
"""Command-line flags that are settings of the section `server`."""

CONFIG = "config.json"
"""The file that is read when `--config` is a folder."""

USAGE = 2
"""Exit code when the settings, the address or the weights cannot be used."""

INTERRUPTED = 130
"""Exit code after Ctrl-C while weights are fetched."""

SETTINGS_LOG = logging.getLogger("streamer.settings")


def run(args: argparse.Namespace) -> int:
    """Serve with the parsed arguments; return the exit code."""
    flags = {flag: getattr(args, flag) for flag in FLAGS}
    overrides = {("server", flag): parse(text) for flag, text in flags.items() if text is not None}
    file: Path | None = args.config
    if file is not None and is_dir(file):
        file /= CONFIG
    try:
        deprecated: list[str] = []
        config, access = _without_secrets(
            load_config(file, os.environ, overrides, deprecated.append)
        )
        set_up(config.server.log_level, config.telemetry.log_format)
        for line in (*deprecated, *misnamed(os.environ)):
            SETTINGS_LOG.warning(line)
        if not access.required and (warning := token_of_client(os.environ)):
            SETTINGS_LOG.warning(warning)
        if versions := beside_each_other():
            SETTINGS_LOG.warning(
                "streamer-server %s and streamer-client %s are in one environment, and have files "
                "in common: uninstall both, then install streamer-server, which has the client",
                *versions,
            )
        folder = (file.parent if file else Path()).absolute()
        provide_weights(missing_models(config, folder), unasked=bool(args.fetch))
        announce: Announce = _print if readable(config.telemetry.log_format) else _log
        return serve(
            config,
            access,
            folder,
            announce,
            lambda address, grpc, pools: announce(_welcome(address, grpc, pools, config, access)),
        )
    except SettingsError as error:
        _print(f"streamer: {with_source(error, file, os.environ)}")
        return USAGE
    except (CannotServe, ModelError) as error:
        _print(f"streamer: {error}")
        return USAGE
    except KeyboardInterrupt:  # while weights are fetched; the server has signals of its own
        _print("streamer: interrupted: no file is half written")
        return INTERRUPTED


def _welcome(address: str, grpc: str | None, pools: Pools, config: Config, access: Access) -> str:
    return welcome(
        address,
        [ServedModel.of(pool) for pool in pools],
        WorkersReady.of(pools),
        config.simple.chunk_seconds,
        needs_token=access.required,
        grpc=grpc,
    )


def _without_secrets(config: Config) -> tuple[Config, Access]:
    """Split off the tokens and the secrets of tickets, of which `Access` keeps digests only.

    They leave the environment too: worker processes, which run models of others, would inherit it.
    """
    for secret in SECRETS:
        os.environ.pop(secret.variable, None)
    secrets = config.access.ticket_secrets
    group = GroupTickets(secrets, time.time) if secrets else None
    return config.without_secrets(), Access(config.access.tokens, time.monotonic, group)


def _log(text: str, level: int = logging.INFO) -> None:
    """Write an announcement to the log, whatever the log level."""
    announcements = logging.getLogger("streamer.announcements")
    announcements.setLevel(logging.INFO)
    announcements.log(level, text)


def _print(text: str, level: int = logging.INFO) -> None:
    """Print an announcement as it is; its words show how severe it is."""
    del level
    with contextlib.suppress(BrokenPipeError):  # a terminal or a pipe that is gone ends no server
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
