"""Whether a client is still there while nothing is read from it; only the kernel can tell."""

import asyncio
import socket

WATCH_S = 1.0
"""Between two looks."""

TCP_ESTABLISHED = 1
"""From linux/tcp_states.h."""


class Watch:
    """Cuts a connection off whose other end has gone.

    Args:
        loop: For the time between looks.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """Look now and then, from a while from now on."""
        if self._timer is None:
            self._timer = self._loop.call_later(WATCH_S, self._look, transport)

    def end(self) -> None:
        """Something is read again, or there is nothing to watch any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, transport: asyncio.Transport) -> None:
        self._timer = None
        if transport.is_closing():
            return
        if is_over(transport):
            transport.abort()
        else:
            self.begin(transport)


def is_over(transport: asyncio.Transport) -> bool:
    """Whether the other end has closed or reset the connection, though much of it is unread."""
    connection = transport.get_extra_info("socket")
    if connection is None or not hasattr(socket, "TCP_INFO"):  # not Linux
        return False
    state: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != TCP_ESTABLISHED
