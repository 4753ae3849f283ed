"""Clients that speak TLS to a port without it, or the other way round: one line in the log."""

import ssl

from streamer.access.refusal_log import RefusalLog

TLS_TO_PLAIN = (
    "a client at %s speaks TLS (https:// or wss://) to a port without TLS: give it an address with "
    "http:// or ws://, or set server.ssl_certfile"
)
PLAIN_TO_TLS = (
    "a client speaks plain HTTP (http:// or ws://) to a port with TLS: give it an address with "
    "https:// or wss://"
)

_HANDSHAKE = b"\x16\x03"
"""How a TLS connection begins: a record of the type handshake, of a version 3.x (RFC 8446, 5.1)."""


def begins_tls(data: bytes) -> bool:
    """Whether the first bytes of a connection are those of a TLS client."""
    return data.startswith(_HANDSHAKE)


def report_plain_http(context: ssl.SSLContext, refusals: RefusalLog) -> None:
    """Log when a client of this context sends HTTP in place of a handshake.

    asyncio closes such a connection without a word, and no protocol is told.
    """

    class Reporting(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLError as error:
                if error.reason == "HTTP_REQUEST":
                    refusals.wrong_scheme(PLAIN_TO_TLS)
                raise

    context.sslobject_class = Reporting
