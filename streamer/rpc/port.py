"""The port for gRPC, from its first call to its last."""

import logging
from collections.abc import Callable, Collection
from pathlib import Path

import grpc
import grpc.aio
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from streamer.access.sessions import SessionRegistry
from streamer.config.ports import ServerConfig
from streamer.config.schema import Config
from streamer.http.listening import Listeners
from streamer.http.ports import CannotServe
from streamer.http.recording_request import RequestSlots
from streamer.rpc.catalogue import services_of
from streamer.rpc.descriptors import new_pool
from streamer.rpc.handlers import handlers_of, max_message_bytes
from streamer.rpc.health import Health
from streamer.rpc.open_calls import OpenCalls
from streamer.rpc.options import server_options
from streamer.services import Services

STATUS_S = 1.0
"""Seconds for the statuses of the calls that have ended; then for those of the calls that are cut
off; then until the library cuts off all others."""

EVERYWHERE = "::"
"""The address of all of the machine's. To the library, it is of IPv6 and of IPv4, and so is
`0.0.0.0`; nor does it listen on both."""

CANCEL_S = 2.0
"""Seconds in which the calls that the library has cut off end by themselves."""

LIBRARY_LOGGER = "grpc._cython.cygrpc"
"""Name of the library's logger."""


LOST_CLIENT = 'Failed "execute_batch"'
"""How the library's error begins when its client is gone. Others are defects, such as a second
write beside one that is under way."""


def is_no_lost_client(record: logging.LogRecord) -> bool:
    """Filters the log of the library, which has a traceback for each client that is gone.

    That is, if it goes before it has read the status of its call.
    """
    error = record.exc_info[1] if record.exc_info else None
    lost = isinstance(error, grpc.aio.InternalError) and str(error).startswith(LOST_CLIENT)
    return not lost


class RpcPort:
    """Serves calls.

    Args:
        config: Of the server.
        listeners: They hold the port, without listening, until the library listens on it.
        services: Returns what all sessions share; called when the server runs.
        registry: Of the sessions of all protocols.
        slots: Returns those of the requests with a recording; called when the server runs.
    """

    def __init__(
        self,
        config: Config,
        listeners: Listeners,
        services: Callable[[], Services],
        registry: SessionRegistry,
        slots: Callable[[], RequestSlots],
    ) -> None:
        self._config = config
        self._listeners = listeners
        self._services = services
        self._registry = registry
        self._slots = slots
        self._server: grpc.aio.Server | None = None
        self._health: Health | None = None
        self._calls = OpenCalls()

    async def open(self) -> None:
        """Accept calls.

        Raises:
            CannotServe: The port was taken in the meantime, or the certificate cannot be used.
        """
        services, registry = self._services(), self._registry
        logging.getLogger(LIBRARY_LOGGER).addFilter(is_no_lost_client)
        served = services_of(self._config.grpc.dialects)
        largest = max_message_bytes(served, self._config.limits.max_message_bytes)
        server = grpc.aio.server(options=server_options(self._config, largest))
        handlers = handlers_of(served, services, registry, self._slots(), self._calls)
        server.add_generic_rpc_handlers(tuple(handlers))
        names = [service.name for service in served]
        self._health = Health(names, lambda: services.pools.ready and not registry.draining)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self._config.grpc.reflection:
            _reflect(names, server)
        self._listen(server)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Accept nothing more, and end the calls there are."""
        if self._server is not None and self._health is not None:
            self._health.end()
            await self._calls.over(STATUS_S)
            await self._calls.cut_off(STATUS_S)
            await self._server.stop(STATUS_S)
            await self._calls.over(CANCEL_S)

    def _listen(self, server: grpc.aio.Server) -> None:
        """Let the library listen, before the port is let go, so that no other program gets it.

        Raises:
            CannotServe: Another program has it, or the library does not take the certificate.
        """
        try:
            self._add_addresses(server)
        finally:
            for listener in self._listeners.sockets:
                listener.close()

    def _add_addresses(self, server: grpc.aio.Server) -> None:
        listeners, port = self._listeners, self._listeners.port
        credentials = _credentials(self._config.server)
        for address in [EVERYWHERE] if listeners.everywhere else listeners.addresses:
            target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            try:
                if credentials is None:
                    server.add_insecure_port(target)
                else:
                    server.add_secure_port(target, credentials)
            except RuntimeError:
                # The library does not say which it is.
                certificate = ", or 'server.ssl_certfile'" if credentials else ""
                settings = f"see 'grpc.host' and 'grpc.port'{certificate}"
                reason = f"cannot listen on {address} port {port}; {settings}"
                raise CannotServe(reason) from None


def _credentials(server: ServerConfig) -> grpc.ServerCredentials | None:
    """Those of TLS; None = without. The files were checked when the server started."""
    if not server.ssl_certfile:
        return None
    certificate = Path(server.ssl_certfile).read_bytes()
    key = Path(server.ssl_keyfile).read_bytes() if server.ssl_keyfile else certificate
    return grpc.ssl_server_credentials([(key, certificate)])


def _reflect(names: Collection[str], server: grpc.aio.Server) -> None:
    """Show the schemas of the services, and of health and of reflection itself."""
    shown = new_pool()
    for file in (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        copy = FileDescriptorProto()
        file.CopyToProto(copy)
        shown.Add(copy)
    own = (health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection((*names, *own), server, pool=shown)
