"""Whether a client is still connected while nothing is read from it; only the kernel knows."""

import asyncio
import socket

CHECK_S = 1.0
"""Seconds between two checks."""

TCP_ESTABLISHED = 1
"""A TCP state, from linux/tcp_states.h."""


class PeerWatch:
    """Cuts a connection off after its other end has closed or reset it.

    Args:
        loop: Its timers are used.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def start(self, transport: asyncio.Transport) -> None:
        """Start checking once a second; the first check is in one second."""
        if self._timer is None:
            self._timer = self._loop.call_later(CHECK_S, self._check, transport)

    def stop(self) -> None:
        """Stop: the connection is read again, or it is lost."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self, transport: asyncio.Transport) -> None:
        self._timer = None
        if transport.is_closing():
            return
        if closed_by_peer(transport):
            transport.abort()
        else:
            self.start(transport)


def closed_by_peer(transport: asyncio.Transport) -> bool:
    """Whether the other end has closed or reset the connection, even if much of it is unread."""
    connection = transport.get_extra_info("socket")
    if connection is None or not hasattr(socket, "TCP_INFO"):  # not Linux
        return False
    state: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != TCP_ESTABLISHED
