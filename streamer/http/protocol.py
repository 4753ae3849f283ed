"""uvicorn's HTTP protocol, with limits on how a request may begin.

A request's line and headers have to arrive within `limits.handshake_seconds`, counted from the
connection or from the request's first byte, and may be `MAX_HEADER_BYTES` long. uvicorn itself
waits for ever, and keeps whatever comes.
"""

import asyncio
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from streamer.access.refusal_log import RefusalLog
from streamer.config.limits import LimitsConfig
from streamer.http.wrong_scheme import TLS_TO_PLAIN, begins_tls

MAX_HEADER_BYTES = 32_768
"""Twice what h11 and nginx allow, so that a proxy refuses first."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n"


class HttpProtocol(HttpToolsProtocol):
    """The protocol class for `uvicorn.Config(http=…)`; `http_class` makes one with other limits."""

    limits = LimitsConfig()
    refusals: RefusalLog

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._header_bytes = 0
        self._in_header = True
        self._begun = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first request may begin."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Parse; a header that has not ended yet is counted."""
        self._arm()
        if not self._begun and begins_tls(data):
            address = self.client[0] if self.client else "an unknown address"
            self.refusals.wrong_scheme(TLS_TO_PLAIN % address)
            self.send_400_response("this port has no TLS")
            return
        self._begun = True
        super().data_received(data)
        if self._in_header:
            self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_header = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its header has ended; what follows has rules of its own."""
        self._in_header = False
        self._disarm()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The connection may be used again; uvicorn gives it some seconds to begin."""
        self._in_header = True
        self._header_bytes = 0
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self._disarm()
        super().connection_lost(exc)

    def _arm(self) -> None:
        seconds = self.limits.handshake_seconds
        if self._in_header and self._deadline is None and seconds:
            self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
            self.transport.close()


def http_class(to: LimitsConfig, log: RefusalLog) -> type[HttpProtocol]:
    """The protocol class with these limits; the log gets those that speak TLS."""

    class Limited(HttpProtocol):
        limits = to
        refusals = log

    return Limited
