"""Listening sockets: one for each address of a host, all with the same port."""

import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

MAX_ATTEMPTS = 20
"""Attempts to find a port that is free on all addresses, when any port may be chosen."""

NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})
"""The machine has no such address; often `::1`, where IPv6 is switched off."""

WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 – compared, not bound
"""Addresses that stand for all of the machine: those of IPv4, and those of IPv6."""

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""Like `socket.getaddrinfo`."""


class Listeners(NamedTuple):
    """Sockets that listen, or hold a port.

    Attributes:
        sockets: One for each address.
        skipped: Addresses of the host that this machine does not have.
    """

    sockets: list[socket.socket]
    skipped: list[str]

    @property
    def port(self) -> int:
        """The port of all of them."""
        port: int = self.sockets[0].getsockname()[1]
        return port

    @property
    def everywhere(self) -> bool:
        """Whether one of the addresses stands for all of the machine."""
        return any(address in WILDCARDS for address in self.addresses)

    @property
    def addresses(self) -> list[str]:
        """The addresses, as numbers."""
        return [listener.getsockname()[0] for listener in self.sockets]


def listen(
    host: str,
    port: int,
    user_timeout_ms: int,
    resolve: Resolve = socket.getaddrinfo,
    *,
    accepting: bool = True,
) -> Listeners:
    """Listen on all addresses that a host name has, on this machine.

    Args:
        host: An address or a name; "" = all addresses of the machine.
        port: 0 = one that is free on all of them.
        user_timeout_ms: Milliseconds until a client counts as gone that acknowledges nothing.
        resolve: Finds the addresses.
        accepting: Whether clients can connect at once, and wait until the server runs. Otherwise
            the port is only held: another socket of this process may listen on it.

    Raises:
        OSError: There is no such host, none of its addresses is here, or the port is in use on one.
    """
    found = resolve(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    targets = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    for attempt in range(MAX_ATTEMPTS):
        try:
            return _listen_on(targets, port, user_timeout_ms, accepting=accepting)
        except OSError as error:
            chosen_elsewhere = error.errno == errno.EADDRINUSE and port == 0
            if not chosen_elsewhere or attempt == MAX_ATTEMPTS - 1:
                raise
    raise AssertionError


def _listen_on(
    targets: Sequence[tuple[int, tuple[Any, ...]]],
    port: int,
    user_timeout_ms: int,
    *,
    accepting: bool,
) -> Listeners:
    listeners = Listeners([], [])
    # Alone, `::` also takes IPv4; beside an address of IPv4 it must not.
    only_v6 = any(family == socket.AF_INET for family, _ in targets)
    unavailable: OSError | None = None
    try:
        for family, (address, _, *rest) in targets:
            try:
                listener = _bound(family, (address, port, *rest), user_timeout_ms, only_v6=only_v6)
            except OSError as error:
                if error.errno not in NOT_HERE:
                    raise
                unavailable = error
                listeners.skipped.append(address)
                continue
            listeners.sockets.append(listener)
            if accepting:
                # From here on a client that connects waits until the server runs, and is not
                # refused.
                listener.listen()
            port = listeners.port
        if not listeners.sockets:
            raise unavailable or OSError(errno.EADDRNOTAVAIL, "the host has no address")
    except OSError:
        for listener in listeners.sockets:
            listener.close()
        raise
    return listeners


def _bound(
    family: int, address: tuple[Any, ...], user_timeout_ms: int, *, only_v6: bool
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and only_v6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # A client that acknowledges no ping for this time is gone, even while nothing is read
        # from it. Connections inherit the option; only Linux has it.
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
