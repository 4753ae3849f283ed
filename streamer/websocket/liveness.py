"""Whether a client is still connected while nothing is read from it; only the kernel knows."""

import asyncio
import socket

CHECK_S = 1.0
"""Seconds between two checks."""

TCP_ESTABLISHED, TCP_CLOSE_WAIT = 1, 8
"""TCP states, from linux/tcp_states.h: in the second, the other end has sent its last byte."""


class PeerWatch:
    """Cuts a connection off after its other end has closed or reset it.

    Args:
        loop: Its timers are used.
        may_half_close: Whether a client may close its direction and still wait for answers. Then
            only a reset counts: a client that has closed both directions looks the same.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, may_half_close: bool = False) -> None:
        self._loop = loop
        self._alive = {TCP_ESTABLISHED, *([TCP_CLOSE_WAIT] if may_half_close else [])}
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
        state = tcp_state(transport)
        if state is not None and state not in self._alive:
            transport.abort()
        else:
            self.start(transport)


def tcp_state(transport: asyncio.Transport) -> int | None:
    """The state of the connection, however much of it is unread; None = it is not known."""
    connection = transport.get_extra_info("socket")
    if connection is None or not hasattr(socket, "TCP_INFO"):  # not Linux
        return None
    state: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state
