"""Whether there is room for another session.

Pure: no sockets, no clock.
"""

from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from streamer.config.schema import LimitsConfig

RETRY_SECONDS = 5
"""What a client is told that comes when all places are taken."""

IPV6_PREFIX = 64
"""Bits that one customer of a provider shares; the others are theirs to choose from."""


class Refusal(NamedTuple):
    """Why there is no room, and when to try again."""

    message: str
    retry_after_seconds: int


class Admission:
    """Counts the sessions, of all and of each address."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._by_address: Counter[str] = Counter()

    @property
    def sessions(self) -> int:
        """How many there are."""
        return self._by_address.total()

    def refusal(self, address: str, queue_seconds: float) -> Refusal | None:
        """Why a session from an address has to be refused; None when it has not.

        Args:
            address: As `address_of` gives it.
            queue_seconds: How long a segment of its would wait for a worker.
        """
        limits = self._limits
        if limits.max_sessions and self.sessions >= limits.max_sessions:
            return Refusal(
                f"all places are taken: limits.max_sessions is {limits.max_sessions}",
                RETRY_SECONDS,
            )
        if limits.max_sessions_per_ip and self._by_address[address] >= limits.max_sessions_per_ip:
            return Refusal(
                "this address has all the places it may have: limits.max_sessions_per_ip is "
                f"{limits.max_sessions_per_ip}",
                RETRY_SECONDS,
            )
        if limits.max_queue_seconds and queue_seconds > limits.max_queue_seconds:
            return Refusal(
                f"the server is busy: a result would wait for {queue_seconds:.1f} s; "
                f"limits.max_queue_seconds is {limits.max_queue_seconds:g}",
                max(1, round(queue_seconds)),
            )
        return None

    def enter(self, address: str) -> None:
        """One more."""
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        """One less."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def address_of(host: str | None) -> str:
    """Whom an IP address counts for: an IPv6 customer has whole networks of them."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)
