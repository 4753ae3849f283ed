"""From configuration to a running server, and what it says while it starts and stops."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.applications import Starlette

import streamer
from streamer.access.registry import FINISH, SessionRegistry
from streamer.access.tokens import is_loopback
from streamer.app import create_app, workers_of
from streamer.config.schema import Config
from streamer.http.protocol import limited as http_limited
from streamer.inference.model_pools import Pools
from streamer.listener import address_of, check_certificate, listen
from streamer.models.resolve import model_specs
from streamer.observe.monitor import Meter
from streamer.telemetry.setup import open_telemetry
from streamer.vad.factory import open_vad
from streamer.websocket.connection import limited as websocket_limited
from streamer.weights.manifest import MissingModel, require

CANCEL_S = 2
"""What still runs so long after its connection was cut off is cancelled."""

MIN_CLOSING_S = 1.0
"""A connection has this long to close in order when the server ends."""

_log = logging.getLogger(__name__)


class Say(Protocol):
    """Tells whoever started the server, however they listen."""

    def __call__(self, text: str, level: int = logging.INFO) -> None:
        """Say it; the level is one of `logging`'s."""


def serve(config: Config, config_folder: Path, say: Say) -> int:
    """Serve until told to stop; returns the exit code.

    Args:
        config: All settings.
        config_folder: Relative paths and your own model classes are looked for here.
        say: Tells how it starts and ends.

    Raises:
        CannotServe: The address cannot be listened on, or the certificate cannot be used.
        MissingModel: Weights are not on this machine; the message says what to do.
    """
    specs = model_specs(config, config_folder)
    workers = dict(zip((spec.name for spec in specs), workers_of(config), strict=True))
    telemetry = open_telemetry(config.telemetry, workers, os.environ)
    vad = open_vad(config, Meter(telemetry.monitor, "vad"))
    check_certificate(config.server)
    listener = listen(config.server)
    address = address_of(config.server, listener)
    failures: list[Exception] = []

    def on_ready(pools: Pools) -> None:
        say(_welcome(address, pools))

    def on_broken(failure: Exception) -> None:
        failures.append(failure)
        server.end_at_once()

    app = create_app(config, specs, lambda: vad, telemetry, on_ready, on_broken)
    server = _Server(
        _uvicorn_config(app, config), app.state.registry, config.limits.drain_seconds, say
    )
    if not (is_loopback(config.server.host) or config.access.tokens):
        _log.warning(
            "everybody who can reach %s can use this server: set access.tokens, or listen on "
            "127.0.0.1",
            address,
        )
    names = ", ".join(spec.name for spec in specs)
    say(f"Streamer {streamer.__version__} on {address}: loading {names} …")
    server.run(sockets=[listener])
    for failure in failures:
        say(f"streamer: {failure}", logging.ERROR)
    return 1 if failures or not server.started else 0


def _uvicorn_config(app: Starlette, config: Config) -> uvicorn.Config:
    """What uvicorn is told."""
    server, limits = config.server, config.limits
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=http_limited(limits),
        ws=websocket_limited(limits),
        ws_max_size=limits.max_message_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=server.ping_interval_seconds,
        ws_ping_timeout=server.ping_timeout_seconds,
        proxy_headers=bool(server.forwarded_allow_ips),
        forwarded_allow_ips=list(server.forwarded_allow_ips),
        root_path=server.root_path,
        server_header=False,
        ssl_certfile=server.ssl_certfile,
        ssl_keyfile=server.ssl_keyfile,
        timeout_graceful_shutdown=CANCEL_S + round(limits.drain_seconds * (1 - FINISH)),
    )


class _Server(uvicorn.Server):
    """uvicorn, which first lets everything end in order when it is told to end.

    A second signal ends the waiting. The exit code is 0: that is how a server is meant to end.
    """

    def __init__(
        self, config: uvicorn.Config, registry: SessionRegistry, drain_seconds: float, say: Say
    ) -> None:
        super().__init__(config)
        self._registry = registry
        self._drain_s = drain_seconds
        self._say = say
        self._closing_s = max(MIN_CLOSING_S, drain_seconds * (1 - FINISH))
        self._hurry = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def told(number: int, frame: FrameType | None) -> None:
            if self.should_exit:
                loop.call_soon_threadsafe(self.end_at_once)
            self.should_exit = True

        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, told) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def end_at_once(self) -> None:
        """End, without waiting for anybody."""
        self.should_exit = True
        self._hurry.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close what is left, and cut off what cannot be closed."""
        unfinished = self._registry.unfinished
        if unfinished and not self._hurry.is_set():
            self._say(
                f"Ending in {self._drain_s:g} s at the latest, or when all that goes on is done "
                f"(sessions and requests: {unfinished}). Ctrl-C again ends at once."
            )
        async with asyncio.TaskGroup() as tasks:
            hurried = tasks.create_task(self._hurry.wait())
            drained = tasks.create_task(self._registry.drain())
            await asyncio.wait((hurried, drained), return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            drained.cancel()
        async with asyncio.TaskGroup() as tasks:
            cut_off = tasks.create_task(self._cut_off())
            await super().shutdown(sockets)
            cut_off.cancel()

    async def _cut_off(self) -> None:
        """In a while, or when there is no time: end every connection that is still there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._closing_s):
                await self._hurry.wait()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _sample_recording() -> str:
    """Something to try with, whichever model runs."""
    try:
        return os.path.relpath(require("moonshine-tiny-en") / "two_cities.wav")
    except MissingModel:
        return "RECORDING.wav"


def _welcome(address: str, pools: Pools) -> str:
    socket_address = address.replace("http", "ws", 1)
    recording = _sample_recording()
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
            f" -a {socket_address}/api/v1/segmented -i {recording}",
            "Stop with Ctrl-C.",
        )
    )
