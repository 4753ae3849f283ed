"""The addresses of WebSockets, and the dialect that is spoken at each."""

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from streamer.config.dialect_names import AddedDialect, DialectName
from streamer.dialects.assemblyai.dialect import assemblyai_dialect
from streamer.dialects.deepgram.flux import flux_dialect
from streamer.dialects.deepgram.live import live_dialect
from streamer.dialects.native import NativeDialect
from streamer.dialects.openai_realtime.dialect import RealtimeDialect
from streamer.dialects.vosk.dialect import vosk_dialect
from streamer.services import Services
from streamer.session.dialect import Dialect


class SocketAddress(NamedTuple):
    """What is at an address.

    Attributes:
        dialect: Its name.
        new: Makes the dialect of one socket.
    """

    dialect: DialectName
    new: Callable[[Services], Dialect]


OWN: Mapping[str, SocketAddress] = {
    "/api/v1/segmented": SocketAddress(
        "native", lambda services: NativeDialect("speech", services.config.limits)
    ),
    "/api/v1/simple": SocketAddress(
        "native", lambda services: NativeDialect("chunks", services.config.limits)
    ),
}
"""Those of Streamer's own protocol."""

ADDED: Mapping[str, SocketAddress] = {
    "/v1/listen": SocketAddress("deepgram", live_dialect),
    "/v2/listen": SocketAddress("flux", flux_dialect),
    "/v1/realtime": SocketAddress(
        "realtime",
        lambda services: RealtimeDialect(services, lambda: secrets.token_hex(10), time.time),
    ),
    "/v3/ws": SocketAddress("assemblyai", assemblyai_dialect),
    "/vosk": SocketAddress("vosk", vosk_dialect),
}
"""Those of other vendors' protocols."""


def socket_addresses(enabled: Collection[AddedDialect]) -> dict[str, SocketAddress]:
    """The addresses that are served.

    Args:
        enabled: `server.dialects` of the configuration.
    """
    return {
        **OWN,
        **{path: address for path, address in ADDED.items() if address.dialect in enabled},
    }
