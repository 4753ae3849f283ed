"""From configuration to a running server, and what it says while it starts and stops."""

import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

import streamer
from streamer.app import create_app, workers_of
from streamer.config import Config, ModelConfig
from streamer.inference.model import BUILT_IN, ModelSpec
from streamer.inference.pools import Pools
from streamer.monitor import Meter
from streamer.settings import SettingsError
from streamer.speech.vad import VadEngine
from streamer.telemetry.setup import open_telemetry
from streamer.validation import show
from streamer.websocket import StreamingProtocol
from streamer.weights.manifest import MissingModel, find_model, require

SILERO = "silero-vad"
KINDS = {"moonshine": "moonshine", "frames": "silero"}
"""What a manifest's `kind` must be for a built-in model."""

DEFAULT_FOLDERS = {"moonshine": "moonshine-tiny-en", "frames": "silero-vad"}


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
    folder = None
    if path:
        own = config_folder / path
        folder = own if own.is_dir() else _shipped(model.type, path, section)
    return ModelSpec(
        type=model.type,
        name=model.name or (Path(path).name if path else model.type.rpartition(":")[2]),
        folder=str(folder) if folder else None,
        options=model.options,
        search_path=(str(config_folder),),
    )


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
        CannotServe: The address cannot be listened on.
        MissingModel: Weights are not on this machine; the message says what to do.
    """
    specs = model_specs(config, config_folder)
    workers = dict(zip((spec.name for spec in specs), workers_of(config), strict=True))
    telemetry = open_telemetry(config.telemetry, workers, os.environ)
    vad = open_vad(config, Meter(telemetry.monitor, "vad"))
    listener = _listen(config.server.host, config.server.port)
    address = _address(config.server.host, listener)
    failures: list[Exception] = []

    def on_ready(pools: Pools) -> None:
        say(_welcome(address, pools))

    def on_broken(failure: Exception) -> None:
        failures.append(failure)
        server.should_exit = True

    app = create_app(config, specs, lambda: vad, telemetry, on_ready, on_broken)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws=StreamingProtocol,
            # Twice the limit, so that a message just over it is answered with a typed error.
            ws_max_size=2 * config.limits.max_message_bytes,
            ws_per_message_deflate=False,
            server_header=False,
        )
    )
    names = ", ".join(spec.name for spec in specs)
    say(f"Streamer {streamer.__version__} on {address}: loading {names} …")
    server.run(sockets=[listener])
    for failure in failures:
        say(f"streamer: {failure}")
    return 1 if failures or not server.started else 0


class _Server(uvicorn.Server):
    """uvicorn, ended by a signal with exit code 0: that is how a server is meant to end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return _open(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = (
                f"port {port} is in use on {host}: stop what uses it, or choose another --port"
            )
        else:
            message = f"cannot listen on {host} port {port}: {error.strerror or error}"
        raise CannotServe(message) from None


def _open(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Whoever connects as soon as the address is announced waits, instead of being refused.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _address(host: str, listener: socket.socket) -> str:
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 – shown, not bound
    port = listener.getsockname()[1]
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


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
