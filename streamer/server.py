"""From a configuration to a running server: listen, run, drain, and the exit code."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.applications import Starlette

import streamer
from streamer.access.sessions import FINISH, SessionRegistry
from streamer.access.tokens import Access, is_loopback
from streamer.app import create_app, workers_of
from streamer.config.schema import Config, ServerConfig
from streamer.http.listening import Listeners, listen
from streamer.http.protocol import http_class
from streamer.inference.model_pools import Pools
from streamer.models.resolve import model_specs
from streamer.observe.monitor import Meter
from streamer.telemetry.setup import open_telemetry
from streamer.vad.factory import open_vad
from streamer.websocket.connection import websocket_class

CANCEL_S = 2
"""Seconds after the connections were cut off; what still runs then is cancelled."""

MIN_CLOSING_S = 1.0
"""Seconds that a connection has at least to close in order when the server ends."""

_log = logging.getLogger(__name__)


class CannotServe(Exception):
    """The server cannot listen as configured; the message is one line."""


class Announce(Protocol):
    """Shows the person or program that started the server how it starts and ends."""

    def __call__(self, text: str, level: int = logging.INFO) -> None:
        """Show the text; the level is one of `logging`'s."""


def serve(
    config: Config,
    access: Access,
    config_folder: Path,
    announce: Announce,
    on_ready: Callable[[str, Pools], None],
) -> int:
    """Serve until a signal ends it; returns the exit code.

    Args:
        config: All settings, without tokens.
        access: Who may use the server.
        config_folder: Relative paths and your own model classes are looked for here.
        announce: Called with what a person should see of the start and the end.
        on_ready: Called once with the server's address and its workers, when they are warm.

    Raises:
        CannotServe: The address cannot be listened on, or the certificate cannot be used.
        MissingModel: Weights are not on this machine; the message has the remedy.
    """
    specs = model_specs(config, config_folder)
    workers = dict(zip((spec.name for spec in specs), workers_of(config), strict=True))
    telemetry = open_telemetry(config.telemetry, workers, os.environ)
    vad = open_vad(config, Meter(telemetry.monitor, "vad"))
    _check_certificate(config.server)
    listeners = _listen(config.server)
    address = _shown_url(config.server, listeners)
    failures: list[Exception] = []

    def on_broken(failure: Exception) -> None:
        failures.append(failure)
        server.stop_now()

    app = create_app(
        config,
        access,
        specs,
        lambda: vad,
        telemetry,
        lambda pools: on_ready(address, pools),
        on_broken,
    )
    server = _Server(
        _uvicorn_config(app, config), app.state.registry, config.limits.drain_seconds, announce
    )
    if not (is_loopback(config.server.host) or access.required):
        _log.warning(
            "everybody who can reach %s can use this server: set access.tokens, or listen on "
            "127.0.0.1",
            address,
        )
    announce(
        f"Streamer {streamer.__version__} on {address}{_shown_addresses(listeners)}: "
        f"loading {', '.join(workers)} …"
    )
    server.run(sockets=listeners.sockets)
    for failure in failures:
        announce(f"streamer: {failure}", logging.ERROR)
    if server.started and not failures:
        announce("Streamer has ended.")
    return 1 if failures or not server.started else 0


def _check_certificate(server: ServerConfig) -> None:
    """Find out what is wrong with the certificate or its key before anything is started."""
    if server.ssl_certfile is None:
        return
    for name in ("ssl_certfile", "ssl_keyfile"):
        if (path := getattr(server, name)) is not None and not os.access(path, os.R_OK):
            reason = "it may not be read" if Path(path).exists() else "there is no such file"
            raise CannotServe(f"cannot use 'server.{name}' {path}: {reason}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            server.ssl_certfile, server.ssl_keyfile, password=lambda: b""
        )
    except ssl.SSLError as error:
        raise CannotServe(
            f"cannot use 'server.ssl_certfile' {server.ssl_certfile} with its key: {error}"
        ) from None


def _listen(server: ServerConfig) -> Listeners:
    """Listen on the configured addresses."""
    host, port = server.host, server.port
    try:
        listeners = listen(host, port, round(server.ping_timeout_seconds * 1000))
    except OSError as error:
        reason = f"cannot listen on {host} port {port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = (
                f"port {port} is in use on {host}: stop what uses it, or choose another: --port N, "
                "or STREAMER_SERVER__PORT=N make run"
            )
        raise CannotServe(reason) from None
    for address in listeners.skipped:
        _log.info("%s is an address of %s, and not of this machine", address, host)
    return listeners


def _shown_url(server: ServerConfig, listeners: Listeners) -> str:
    """The address to show to people: `http://127.0.0.1:8080`."""
    host = server.host
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 – shown, not bound
    shown = f"[{shown}]" if ":" in shown else shown
    scheme = "https" if server.ssl_certfile else "http"
    return f"{scheme}://{shown}:{listeners.port}"


def _shown_addresses(listeners: Listeners) -> str:
    """What the name in the address to show stands for, if that is more than one address."""
    addresses = listeners.addresses
    return f" ({', '.join(addresses)})" if len(addresses) > 1 else ""


def _uvicorn_config(app: Starlette, config: Config) -> uvicorn.Config:
    """Our settings as uvicorn's."""
    server, limits = config.server, config.limits
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=http_class(limits),
        ws=websocket_class(limits),
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
    """uvicorn, with a drain before its shutdown.

    The first signal begins the drain, a second one ends it. The exit code is 0 in both cases,
    because a signal is how a server is meant to end.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        registry: SessionRegistry,
        drain_s: float,
        announce: Announce,
    ) -> None:
        super().__init__(config)
        self._registry = registry
        self._drain_s = drain_s
        self._announce = announce
        self._closing_s = max(MIN_CLOSING_S, drain_s * (1 - FINISH))
        self._stop_now = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def on_signal(number: int, frame: FrameType | None) -> None:
            if self.should_exit:
                loop.call_soon_threadsafe(self.stop_now)
            self.should_exit = True

        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, on_signal) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop_now(self) -> None:
        """End without waiting for open streams and requests."""
        self.should_exit = True
        self._stop_now.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close the remaining connections, and cut off those that do not close."""
        unfinished = self._registry.unfinished
        if unfinished and not self._stop_now.is_set():
            self._announce(
                f"Ending in {self._drain_s:g} s at the latest, or when all that goes on is done "
                f"(sessions and requests: {unfinished}). Ctrl-C again ends at once."
            )
        async with asyncio.TaskGroup() as tasks:
            stopped = tasks.create_task(self._stop_now.wait())
            drained = tasks.create_task(self._registry.drain())
            await asyncio.wait((stopped, drained), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            drained.cancel()
        async with asyncio.TaskGroup() as tasks:
            cut_off = tasks.create_task(self._cut_off())
            await super().shutdown(sockets)
            cut_off.cancel()

    async def _cut_off(self) -> None:
        """After `_closing_s` seconds, or at once after a second signal: abort every connection."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._closing_s):
                await self._stop_now.wait()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
