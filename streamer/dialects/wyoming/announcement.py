"""Makes the port known in the local network, so that Home Assistant offers it by itself.

DNS-SD over multicast DNS, RFC 6763 and RFC 6762; needs the extra `zeroconf`.
"""

import importlib.util
import logging
import secrets
import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from streamer.access.tokens import is_loopback
from streamer.config.ports import WyomingConfig

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

SERVICE = "_wyoming._tcp.local."

MAX_LABEL_BYTES = 63
"""Bytes of the name of a service; RFC 1035, section 2.3.4."""

ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 – recognized, not bound

_log = logging.getLogger(__name__)


def problem_of(wyoming: WyomingConfig) -> str | None:
    """Why the port cannot be announced as configured; None = it can, or is not to be."""
    if not wyoming.announce:
        return None
    if is_loopback(wyoming.host):
        return (
            f"'wyoming.announce' is true, and 'wyoming.host' is {wyoming.host}, which no other "
            "machine reaches: choose 0.0.0.0, or an address of this machine in your network"
        )
    if importlib.util.find_spec("zeroconf") is None:
        return (
            "'wyoming.announce' needs the package zeroconf: pip install 'streamer-server[zeroconf]'"
        )
    return None


class Announcement:
    """The announcement of one port.

    Args:
        port: Of all addresses.
        addresses: Numbers.
        interfaces: Addresses of the networks to announce it in; None = in all.
    """

    def __init__(
        self, port: int, addresses: Sequence[str], interfaces: Sequence[str] | None = None
    ) -> None:
        self._port = port
        self.addresses = addresses
        self._interfaces = interfaces
        self._zeroconf: AsyncZeroconf | None = None

    async def begin(self) -> None:
        """Announce; without a network that takes it, the log says so, and nothing else happens."""
        if not self.addresses:
            _log.warning("the port for Wyoming is not announced: no other machine reaches it")
            return
        from zeroconf import Error, InterfaceChoice
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        label = f"Streamer on {socket.gethostname()}".encode()[:MAX_LABEL_BYTES]
        name = f"{label.decode(errors='ignore').replace('.', '-')}.{SERVICE}"
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._interfaces or InterfaceChoice.All)
            info: AsyncServiceInfo = AsyncServiceInfo(
                SERVICE,
                name,
                port=self._port,
                parsed_addresses=[*self.addresses],
                # The name of the service would do, but if it is taken, only the service gets
                # another one, and both have the addresses of both.
                server=f"streamer-{secrets.token_hex(8)}.local.",
            )
            answered = await self._zeroconf.async_register_service(info, allow_name_change=True)
            await answered
        except (Error, OSError) as error:
            _log.warning("the port for Wyoming is not announced: %s", error)
            return
        _log.info("announced as %s at %s", info.name, ", ".join(self.addresses))

    async def end(self) -> None:
        """Take the announcement back."""
        if self._zeroconf is not None:
            await self._zeroconf.async_close()
            self._zeroconf = None


def announcement_of(port: int, addresses: Sequence[str]) -> Announcement:
    """The announcement of a port.

    Args:
        port: Of all addresses.
        addresses: Those that are listened on, as numbers.
    """
    return Announcement(port, [*dict.fromkeys(_reachable(addresses))])


def _reachable(addresses: Sequence[str]) -> Iterator[str]:
    """The addresses at which other machines reach this one."""
    import ifaddr

    for address in addresses:
        if address not in ALL_ADDRESSES:
            if not is_loopback(address):  # a name may stand for several
                yield address
            continue
        for adapter in ifaddr.get_adapters():
            for ip in adapter.ips:
                number = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
                local = is_loopback(number) or number.startswith("fe80:")
                if not local and (address == "::" or ip.is_IPv4):
                    yield number
