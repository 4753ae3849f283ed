"""From configuration to a running server, and what it says while it starts and stops."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette

import streamer
from streamer.access import is_loopback
from streamer.app import create_app, workers_of
from streamer.config import Config, ModelConfig, ServerConfig
from streamer.http.connection import limited as http_limited
from streamer.inference.model import BUILT_IN, ModelSpec
from streamer.inference.pools import Pools
from streamer.monitor import Meter
from streamer.sessions import FINISH, Sessions
from streamer.settings import SettingsError
from streamer.speech.vad import VadEngine
from streamer.telemetry.setup import open_telemetry
from streamer.validation import show
from streamer.websocket import limited as websocket_limited
from streamer.weights.manifest import MissingModel, find_model, require

SILERO = "silero-vad"
KINDS = {"moonshine": "moonshine", "classifier": "classifier", "frames": "silero"}
"""What a manifest's `kind` must be for a built-in model."""

DEFAULT_FOLDERS = {"moonshine": "moonshine-tiny-en", "frames": "silero-vad"}


CANCEL_S = 2
"""What still runs so long after its connection was cut off is cancelled."""

MIN_CLOSING_S = 1.0
"""A connection has this long to close in order when the server ends."""

_log = logging.getLogger(__name__)


class CannotServe(Exception):
    """The server cannot listen where it was told to; the message is one line."""


def model_specs(config: Config, config_folder: Path) -> list[ModelSpec]:
    """What the workers are to load, for each model.

    Args:
        config: All settings.
        config_folder: Relative paths and your own model classes are looked for here.

    Raises:
        MissingModel: The configured weights are not on this machine; the message says what to do.
        SettingsError: There can be no such model, or two have the same name.
    """
    specs: list[ModelSpec] = []
    for index, model in enumerate(config.served):
        section = f"models[{index}]" if config.models else "model"
        spec = _model_spec(model, section, config_folder)
        if spec.name in (other.name for other in specs):
            raise SettingsError(
                f"'{section}.name' is {show(spec.name)}, the name of another model; "
                "allowed: one of its own"
            )
        specs.append(spec)
    return specs


def _model_spec(model: ModelConfig, section: str, config_folder: Path) -> ModelSpec:
    if model.type not in BUILT_IN and ":" not in model.type:
        known = ", ".join(BUILT_IN)
        raise SettingsError(
            f"'{section}.type' is {show(model.type)}; allowed: one of {known}, or the path of "
            "your own class, package.module:Class"
        )
    path = model.path or DEFAULT_FOLDERS.get(model.type)
    if path is None and model.type == "classifier":
        raise SettingsError(
            f"'{section}.path' is missing; type classifier needs one: a folder with a model.json, "
            "or a name that `streamer models list` shows"
        )
    folder = None
    if path:
        own = config_folder / path
        folder = own if own.is_dir() else _shipped(model.type, path, section)
    return ModelSpec(
        type=model.type,
        name=model.name or _default_name(model.type, folder),
        folder=str(folder) if folder else None,
        options=model.options,
        search_path=(str(config_folder),),
    )


def _default_name(model_type: str, folder: Path | None) -> str:
    if folder is None:
        return model_type.rpartition(":")[2]
    return Path(os.path.normpath(folder)).name  # a path such as "." has no name of its own


def _shipped(model_type: str, name: str, section: str) -> Path:
    """The folder of a model with a manifest, which says what type it is for."""
    folder = require(name)
    fitting = KINDS.get(model_type)
    kind = find_model(name).manifest.kind
    if fitting not in (None, kind):
        raise SettingsError(
            f"'{section}.path' is {show(name)}, a model of the kind {kind}; "
            f"allowed with {section}.type {model_type}: one of the kind {fitting}"
        )
    return folder


def open_vad(config: Config, meter: Meter) -> VadEngine:
    """The configured voice-activity engine.

    Args:
        config: All settings.
        meter: Told what the engine costs.

    Raises:
        MissingModel: Silero's weights are not on this machine; the message says what to do.
    """
    if config.vad.engine == "webrtc":
        from streamer.speech.webrtc import WebRtcVad

        return WebRtcVad(config.vad.webrtc_mode, meter)
    from streamer.speech.silero import SileroVad

    (weights,) = require(SILERO).glob("*.onnx")
    return SileroVad(weights, config.vad.gather_ms / 1000, meter)


def serve(config: Config, config_folder: Path, say: Callable[[str], None]) -> int:
    """Serve until told to stop; returns the exit code.

    Args:
        config: All settings.
        config_folder: Relative paths and your own model classes are looked for here.
        say: Prints a line for the person who started the server.

    Raises:
        CannotServe: The address cannot be listened on, or the certificate cannot be used.
        MissingModel: Weights are not on this machine; the message says what to do.
    """
    specs = model_specs(config, config_folder)
    workers = dict(zip((spec.name for spec in specs), workers_of(config), strict=True))
    telemetry = open_telemetry(config.telemetry, workers, os.environ)
    vad = open_vad(config, Meter(telemetry.monitor, "vad"))
    _check_certificate(config.server)
    listener = _listen(config.server)
    address = _address(config, listener)
    failures: list[Exception] = []

    def on_ready(pools: Pools) -> None:
        say(_welcome(address, pools))

    def on_broken(failure: Exception) -> None:
        failures.append(failure)
        server.end_at_once()

    app = create_app(config, specs, lambda: vad, telemetry, on_ready, on_broken)
    server = _Server(_uvicorn_config(app, config), app.state.sessions, config.limits.drain_seconds)
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
        say(f"streamer: {failure}")
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


class _Server(uvicorn.Server):
    """uvicorn, which first lets everything end in order when it is told to end.

    A second signal ends the waiting. The exit code is 0: that is how a server is meant to end.
    """

    def __init__(self, config: uvicorn.Config, sessions: Sessions, drain_seconds: float) -> None:
        super().__init__(config)
        self._sessions = sessions
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
        async with asyncio.TaskGroup() as tasks:
            hurried = tasks.create_task(self._hurry.wait())
            drained = tasks.create_task(self._sessions.drain())
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


def _listen(to: ServerConfig) -> socket.socket:
    host, port = to.host, to.port
    try:
        return _open(host, port, round(to.ping_timeout_seconds * 1000))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = (
                f"port {port} is in use on {host}: stop what uses it, or choose another --port"
            )
        else:
            message = f"cannot listen on {host} port {port}: {error.strerror or error}"
        raise CannotServe(message) from None


def _open(host: str, port: int, user_timeout_ms: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A client that acknowledges no ping for so long is gone, though nothing is read from it
        # at the moment. Connections inherit the option, which is Linux's.
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms)
        listener.bind(address)
        # Whoever connects as soon as the address is announced waits, instead of being refused.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _address(config: Config, listener: socket.socket) -> str:
    host = config.server.host
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 – shown, not bound
    scheme = "https" if config.server.ssl_certfile else "http"
    port = listener.getsockname()[1]
    return f"{scheme}://[{shown}]:{port}" if ":" in shown else f"{scheme}://{shown}:{port}"


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
