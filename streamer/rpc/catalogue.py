"""All services that can be served."""

from collections.abc import Collection, Sequence

from streamer.config.dialect_names import GrpcDialect
from streamer.rpc.dialect import RpcService
from streamer.rpc.google.service import GOOGLE
from streamer.rpc.own.dialect import OWN
from streamer.rpc.riva.service import RIVA

ALL: Sequence[RpcService] = (OWN, GOOGLE, RIVA)


def services_of(dialects: Collection[GrpcDialect]) -> list[RpcService]:
    """The services that are served.

    Args:
        dialects: `grpc.dialects` of the configuration.
    """
    return [service for service in ALL if service.dialect in dialects]
