"""The settings of the gRPC library. Pure.

Names and meanings: https://grpc.github.io/grpc/core/group__grpc__arg__keys.html.
"""

from collections.abc import Sequence

from streamer.config.schema import Config

LOOKAHEAD_BYTES = 65_536
"""Bytes that a client may send of a call before the server reads them, as HTTP/2 has by default."""

ENVELOPE_BYTES = 1_024
"""Bytes by which a message may be larger than the largest that is taken. Such a one is still read,
so that the client gets an error and all pending results. A larger one ends the call at once."""

MIN_PING_INTERVAL_MS = 10_000
"""Milliseconds between a client's pings; keepalives commonly come every 10 to 30 s."""

SPARE_CALLS = 100
"""Calls of a connection beside those that there is room for. They are refused, and while a client
does not read that, they stay."""

UNLIMITED_CALLS = 10_000
"""Calls of a connection if there is no limit of sessions. No process can serve more."""

MAX_IDLE_MS = 300_000
"""Milliseconds after which a connection without calls is ended. Its channel connects again when it
needs to; otherwise, clients could hold all descriptors of the process."""

MAX_INT = 2**31 - 1
"""The largest value that the library takes. In milliseconds, these are 24 days."""

MAX_PING_STRIKES = 2
"""Pings that came too early, after which a connection is ended."""


def server_options(config: Config, max_message_bytes: int) -> Sequence[tuple[str, int]]:
    """The arguments of the server.

    Args:
        config: Of the server.
        max_message_bytes: Of the largest message that is taken.
    """
    server, limits = config.server, config.limits
    options: dict[str, float] = {
        # Else a second server could listen on the port, and get a part of the calls.
        "grpc.so_reuseport": 0,
        "grpc.max_receive_message_length": max_message_bytes + ENVELOPE_BYTES,
        # Else the window grows to megabytes, which a client can send before they are read.
        "grpc.http2.bdp_probe": 0,
        "grpc.http2.lookahead_bytes": LOOKAHEAD_BYTES,
        "grpc.keepalive_time_ms": _milliseconds(server.ping_interval_seconds),
        "grpc.keepalive_timeout_ms": _milliseconds(server.ping_timeout_seconds),
        "grpc.http2.ping_timeout_ms": _milliseconds(server.ping_timeout_seconds),
        # Also while the server has nothing to send, such as in a long silence.
        "grpc.http2.max_pings_without_data": 0,
        "grpc.http2.min_recv_ping_interval_without_data_ms": MIN_PING_INTERVAL_MS,
        "grpc.http2.max_ping_strikes": MAX_PING_STRIKES,
        "grpc.max_connection_idle_ms": MAX_IDLE_MS,
        "grpc.max_concurrent_streams": (limits.max_sessions or UNLIMITED_CALLS) + SPARE_CALLS,
    }
    if limits.handshake_seconds:
        options["grpc.server_handshake_timeout_ms"] = _milliseconds(limits.handshake_seconds)
    if config.grpc.max_connection_age_ms:
        options["grpc.max_connection_age_ms"] = config.grpc.max_connection_age_ms
    return [(name, int(min(value, MAX_INT))) for name, value in options.items()]


def _milliseconds(seconds: float) -> float:
    return max(1, round(seconds * 1000))
