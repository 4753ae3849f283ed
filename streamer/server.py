"""From a configuration to a running server: listen, run, drain, and the exit code."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

import uvicorn
from starlette.types import ASGIApp

import streamer
from streamer.access.refusal_log import RefusalLog
from streamer.access.sessions import FINISH, SessionRegistry
from streamer.access.tokens import Access
from streamer.app import create_app, workers_of
from streamer.config.schema import Config
from streamer.dialects.vosk.port import VoskPort
from streamer.dialects.wyoming.announcement import problem_of as problem_of_wyoming
from streamer.dialects.wyoming.listener import connection_factory
from streamer.dialects.wyoming.port import WyomingPort
from streamer.http.certificate import BadCertificate, check_certificate
from streamer.http.ports import (
    CannotServe,
    listen_everywhere,
    report_grpc,
    report_vosk,
    report_wyoming,
    shown_addresses,
    shown_url,
    warn_if_open,
)
from streamer.http.protocol import http_class
from streamer.http.wrong_scheme import report_plain_http
from streamer.inference.model_pools import Pools
from streamer.models.resolve import model_specs
from streamer.observe.monitor import Meter
from streamer.remote.installed import problem_of as problem_of_remote
from streamer.rpc.installed import problem_of as problem_of_grpc
from streamer.rpc.installed import quiet_library, rpc_port
from streamer.telemetry.setup import open_telemetry
from streamer.vad.factory import open_vad
from streamer.websocket.connection import websocket_class

if TYPE_CHECKING:
    from streamer.rpc.port import RpcPort

CANCEL_S = 2
"""Seconds after the connections were cut off; what still runs then is cancelled."""

MIN_CLOSING_S = 1.0
"""Seconds that a connection has at least to close in order when the server ends."""

_log = logging.getLogger(__name__)


class Announce(Protocol):
    """Shows the person or program that started the server how it starts and ends."""

    def __call__(self, text: str, level: int = logging.INFO) -> None:
        """Show the text; the level is one of `logging`'s."""


def serve(
    config: Config,
    access: Access,
    config_folder: Path,
    announce: Announce,
    on_ready: Callable[[str, str | None, Pools], None],
) -> int:
    """Serve until a signal ends it; returns the exit code.

    Args:
        config: All settings, without tokens.
        access: Who may use the server.
        config_folder: Relative paths and your own model classes are looked for here.
        announce: Called with what a person should see of the start and the end.
        on_ready: Called once with the server's address, that of gRPC or None, and the workers, when
            they are warm.

    Raises:
        CannotServe: The address cannot be listened on, or the certificate cannot be used.
        MissingModel: Weights are not on this machine; the message has the remedy.
    """
    if config.grpc.port:
        quiet_library()
    specs = model_specs(config, config_folder)
    workers = dict(zip((spec.name for spec in specs), workers_of(config), strict=True))
    telemetry = open_telemetry(config.telemetry, workers, os.environ)
    vad = open_vad(config, Meter(telemetry.monitor, "vad"))
    try:
        check_certificate(config.server)
    except BadCertificate as error:
        raise CannotServe(str(error)) from None
    problem = problem_of_wyoming(config.wyoming) or problem_of_grpc(config.grpc)
    if problem := problem or problem_of_remote(config):
        raise CannotServe(problem)
    ports = listen_everywhere(config)
    address = shown_url(config.server, config.server.host, ports.http)
    grpc_address = report_grpc(config, ports.grpc, access) if ports.grpc.sockets else None
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
        lambda pools: on_ready(address, grpc_address, pools),
        on_broken,
    )
    served: ASGIApp = app
    if ports.vosk.sockets:
        served = VoskPort(app, ports.vosk.port, config.server.root_path)
        report_vosk(config, ports.vosk, access)
    wyoming = WyomingPort(
        config.wyoming,
        ports.wyoming,
        lambda state: connection_factory(app.state.services, app.state.registry, state),
    )
    rpc: RpcPort | None = None
    if grpc_address:
        state = app.state
        rpc = rpc_port(
            config, ports.grpc, lambda: state.services, state.registry, lambda: state.slots
        )
        for dialect in config.grpc.dialects:
            app.state.addresses[dialect] = [grpc_address]
    refusals = RefusalLog(time.monotonic)
    server = _Server(
        _uvicorn_config(served, config, refusals),
        refusals,
        app.state.registry,
        config.limits.drain_seconds,
        announce,
        wyoming,
        rpc,
        on_broken,
    )
    warn_if_open(config.server.host, address, access)
    if ports.wyoming.sockets:
        app.state.addresses["wyoming"] = [report_wyoming(config.wyoming, ports.wyoming, access)]
    announce(
        f"Streamer {streamer.__version__} on {address}{shown_addresses(ports.http)}: "
        f"loading {', '.join(workers)} …"
    )
    server.run(sockets=[*ports.http.sockets, *ports.vosk.sockets])
    for failure in failures:
        announce(f"streamer: {failure}", logging.ERROR)
    if server.started and not failures:
        announce("Streamer has ended.")
    return 1 if failures or not server.started else 0


def _uvicorn_config(app: ASGIApp, config: Config, refusals: RefusalLog) -> uvicorn.Config:
    """Our settings as uvicorn's."""
    server, limits = config.server, config.limits
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=http_class(limits, refusals),
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
    """uvicorn, with a drain before its shutdown, and with ports for other protocols.

    The first signal begins the drain, a second one ends it. The exit code is 0 in both cases,
    because a signal is how a server is meant to end.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        refusals: RefusalLog,
        registry: SessionRegistry,
        drain_s: float,
        announce: Announce,
        wyoming: WyomingPort,
        rpc: "RpcPort | None",
        on_broken: Callable[[Exception], None],
    ) -> None:
        super().__init__(config)
        self._refusals = refusals
        self._wyoming = wyoming
        self._rpc = rpc
        self._on_broken = on_broken
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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Also accept connections on the ports for Wyoming, which uvicorn shuts down, and gRPC."""
        if self.config.ssl is not None:
            report_plain_http(self.config.ssl, self._refusals)
        await super().startup(sockets)
        if self.should_exit:
            return
        self.servers += await self._wyoming.open(self.server_state, self.config.backlog)
        if self._rpc is not None:
            try:
                await self._rpc.open()
            except CannotServe as failure:
                self._on_broken(failure)

    def stop_now(self) -> None:
        """End without waiting for open streams and requests."""
        self.should_exit = True
        self._stop_now.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close the remaining connections, and cut off those that do not close."""
        await self._wyoming.leave()
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
        if self._rpc is not None:
            await self._rpc.stop()
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
