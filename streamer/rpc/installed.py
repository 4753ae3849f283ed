"""Whether the packages of the extra are here. Imports none of them, before the port is made."""

import importlib.util
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamer.access.sessions import SessionRegistry
from streamer.config.ports import GrpcConfig
from streamer.config.schema import Config
from streamer.http.listening import Listeners
from streamer.http.recording_request import RequestSlots
from streamer.services import Services

if TYPE_CHECKING:
    from streamer.rpc.port import RpcPort

PACKAGES = ("grpc", "google.protobuf", "grpc_health", "grpc_reflection")


def quiet_library() -> None:
    """Keep lines of the library's own out of the log, such as one for each failed TLS handshake.

    It has to be called before the library is imported, also by others; an operator's own setting
    counts.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


def problem_of(grpc: GrpcConfig) -> str | None:
    """Why the port cannot be served; None = it can, or is not to be."""
    if not grpc.port or all(map(_is_here, PACKAGES)):
        return None
    return (
        f"'grpc.port' is {grpc.port}, and packages for gRPC are missing: "
        "pip install 'streamer-server[grpc]'"
    )


def _is_here(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # not even its parent is
        return False


def rpc_port(
    config: Config,
    listeners: Listeners,
    services: Callable[[], Services],
    registry: SessionRegistry,
    slots: Callable[[], RequestSlots],
) -> "RpcPort":
    """Make the port; arguments as of `RpcPort`."""
    from streamer.rpc.port import RpcPort

    return RpcPort(config, listeners, services, registry, slots)
