"""Open sessions and requests: whether there is room for more, and how they end in order."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple, Protocol

from streamer.config.limits import LimitsConfig
from streamer.inference.model_pools import Backlog
from streamer.memory import Trimmer

REFUSAL_SHUTTING_DOWN = "the server is shutting down"

STREAM_ON, FINISH = 0.5, 0.9
"""Parts of `limits.drain_seconds`: open streams may go on until the first; their pending results
are delivered until the second. The rest is for closing the connections."""

RETRY_SECONDS = 5
"""Seconds after which a client that finds no room may try again."""

IPV6_PREFIX = 64
"""Bits of an IPv6 address that identify a customer, who chooses the other bits."""


class Refusal(NamedTuple):
    """Why there is no room, and when to try again."""

    message: str
    retry_after_seconds: int


class Places:
    """Counts the sessions, in total and by address. Pure: no sockets, no clock."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._by_address: Counter[str] = Counter()

    @property
    def sessions(self) -> int:
        """Sessions that have a place."""
        return self._by_address.total()

    @property
    def used_ratio(self) -> float:
        """The part of `limits.max_sessions` that is taken; 0 when there is no such limit."""
        return self.sessions / self._limits.max_sessions if self._limits.max_sessions else 0.0

    def refusal(self, address: str, backlog: Backlog) -> Refusal | None:
        """Why a session from an address is refused; None = there is room.

        Args:
            address: As `counting_key` gives it.
            backlog: What it would have to wait for.
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
        if limits.max_queue_seconds and backlog.seconds > limits.max_queue_seconds:
            return self._too_long(backlog)
        return None

    def _too_long(self, backlog: Backlog) -> Refusal:
        if backlog.not_ready:  # for how long is not known; the seconds are those until now
            return Refusal(f"the server is not ready: {backlog.not_ready}", RETRY_SECONDS)
        return Refusal(
            f"the server is busy: a result would wait for {backlog.seconds:.1f} s; "
            f"limits.max_queue_seconds is {self._limits.max_queue_seconds:g}",
            max(1, round(backlog.seconds)),
        )

    def enter(self, address: str) -> None:
        """A session from this address begins."""
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        """A session from this address has ended."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def counting_key(host: str | None) -> str:
    """The address that a client is counted under: for IPv6, the network of the customer."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


class Drainable(Protocol):
    """What the registry needs from a session in order to drain it."""

    def drain(self, deadline_seconds: float) -> None:
        """Announce that the server ends; an open stream may go on until the deadline."""

    def finish(self) -> None:
        """End the stream now, deliver its pending results, and close."""


class SessionRegistry:
    """The sessions that are open, and the requests that are being answered.

    Args:
        limits: Of the configuration.
    """

    def __init__(self, limits: LimitsConfig) -> None:
        self._places = Places(limits)
        self._drain_s = limits.drain_seconds
        self._open: set[Drainable] = set()
        self._busy = 0
        self._empty = asyncio.Event()
        self._trimmer = Trimmer()
        self.draining = False

    @property
    def unfinished(self) -> int:
        """Sessions and requests that the end of the server waits for."""
        return self._busy

    @property
    def used_ratio(self) -> float:
        """The part of `limits.max_sessions` that is taken; 0 when there is no such limit."""
        return self._places.used_ratio

    def refusal(self, address: str, backlog: Backlog) -> Refusal | None:
        """Why a new session is refused; None = there is room.

        Args:
            address: As `counting_key` gives it.
            backlog: What it would have to wait for.
        """
        if self.draining:
            return Refusal(REFUSAL_SHUTTING_DOWN, max(1, round(self._drain_s)))
        return self._places.refusal(address, backlog)

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold a place for a session from an address."""
        self._places.enter(address)
        try:
            yield
        finally:
            self._places.leave(address)

    @contextlib.contextmanager
    def opened(self, session: Drainable) -> Iterator[None]:
        """Register an open session; it is drained when the server ends."""
        self._open.add(session)
        try:
            with self.busy():
                yield
        finally:
            self._open.discard(session)

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Register something that the end of the server waits for."""
        self._busy += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._busy -= 1
            self._trimmer.soon()
            if not self._busy:
                self._empty.set()

    async def drain(self) -> None:
        """Refuse what is new, and wait until what is open has ended, or its time is up."""
        self.draining = True
        for session in list(self._open):
            session.drain(self._drain_s * STREAM_ON)
        if await self._emptied(self._drain_s * STREAM_ON):
            return
        for session in list(self._open):
            session.finish()
        await self._emptied(self._drain_s * (FINISH - STREAM_ON))

    async def _emptied(self, seconds: float) -> bool:
        if not self._busy:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        return not self._busy
