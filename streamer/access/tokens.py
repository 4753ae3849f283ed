"""Who may use the server: tokens, single-use tickets, and the web pages that may connect.

Pure: the clock is passed in, and nothing here depends on sockets or HTTP.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from enum import Enum, auto
from hashlib import sha256
from heapq import heappop, heappush
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from streamer.access.group_tickets import GroupTickets, TicketState

TICKET_SECONDS = 60
MAX_TICKET_SECONDS = 3_600
MAX_TICKETS = 10_000
"""Tickets that are kept at the same time; a new one removes the one that expires first."""

DEFAULT_PORTS = {"http": 80, "https": 443}


class AuthState(Enum):
    """What is known of a client by the credential it has shown."""

    ADMITTED = auto()
    """It has shown a valid token or ticket, or the server needs none."""
    REFUSED = auto()
    """It has shown one that is not valid."""
    EXPIRED = auto()
    """It has shown a ticket of this group of servers that has expired."""
    USED = auto()
    """It has shown a ticket of this group for a single use that this server has admitted before."""
    UNKNOWN = auto()
    """It has shown none yet."""

    @property
    def refused(self) -> bool:
        """Whether it has shown a credential that does not admit it."""
        return self in (AuthState.REFUSED, AuthState.EXPIRED, AuthState.USED)


_STATES = {
    TicketState.VALID: AuthState.ADMITTED,
    TicketState.UNKNOWN: AuthState.REFUSED,
    TicketState.EXPIRED: AuthState.EXPIRED,
    TicketState.USED: AuthState.USED,
}


class Ticket(NamedTuple):
    """What is kept of a ticket.

    Attributes:
        expires_s: When, on the clock of `Access`.
        single_use: Whether it admits once.
    """

    expires_s: float
    single_use: bool


class Access:
    """The tokens of the configuration, and the tickets given for them.

    Only digests are kept, of equal length, so that comparing takes the same time whatever is
    shown, and nothing that is printed or dumped holds a secret.

    Args:
        tokens: Each of them admits a client; without tokens, every client is admitted.
        clock: Monotonic seconds.
        group: Issues and checks the tickets, if other servers are to accept them too; None = they
            are kept here, and no other server knows them.
    """

    def __init__(
        self,
        tokens: Iterable[str],
        clock: Callable[[], float],
        group: GroupTickets | None = None,
    ) -> None:
        self._tokens = [_digest(token) for token in tokens]
        self._group = group
        self._tickets: dict[bytes, Ticket] = {}
        """By their digests."""
        self._expiry: list[tuple[float, int, bytes]] = []
        """A heap: when each ticket expires, its number, its digest; also of those used up."""
        self._issued = 0
        self._clock = clock

    @property
    def required(self) -> bool:
        """Whether the server needs a token."""
        return bool(self._tokens)

    def is_token(self, shown: str) -> bool:
        """Whether this is one of the tokens, or the server needs none."""
        digest = _digest(shown)
        # Compared with every token, so that the time does not depend on which one matches.
        fitting = sum(hmac.compare_digest(digest, token) for token in self._tokens)
        return not self.required or fitting > 0

    def _use(self, shown: str) -> AuthState:
        if self.is_token(shown):
            return AuthState.ADMITTED
        if self._group is not None:
            return _STATES[self._group.use(shown)]
        digest = _digest(shown)
        ticket = self._tickets.get(digest)
        valid = ticket is not None and self._clock() < ticket.expires_s
        if ticket is not None and (ticket.single_use or not valid):
            del self._tickets[digest]
        return AuthState.ADMITTED if valid else AuthState.REFUSED

    def auth_state(self, shown: str | None) -> AuthState:
        """The state of a client that has shown this credential; None = none.

        A ticket for a single use is used up by this call.
        """
        if not self.required:
            return AuthState.ADMITTED
        if shown is None:
            return AuthState.UNKNOWN
        return self._use(shown)

    def issue_ticket(
        self, prefix: str = "", seconds: float = TICKET_SECONDS, *, single_use: bool = True
    ) -> str:
        """A ticket that admits once, or until it expires.

        Args:
            prefix: What it begins with; some clients recognize theirs by it.
            seconds: For how long; at most `MAX_TICKET_SECONDS`.
            single_use: Whether it admits once. Others' clients connect again with the same.
        """
        seconds = min(seconds, MAX_TICKET_SECONDS)
        if self._group is not None:
            return self._group.issue(prefix, seconds, single_use=single_use)
        now_s = self._clock()
        while self._expiry and (self._expiry[0][0] <= now_s or len(self._expiry) >= MAX_TICKETS):
            *_, expired = heappop(self._expiry)
            self._tickets.pop(expired, None)
        ticket_text = prefix + secrets.token_urlsafe(24)
        expires_s = now_s + seconds
        digest = _digest(ticket_text)
        self._tickets[digest] = Ticket(expires_s, single_use)
        self._issued += 1
        heappush(self._expiry, (expires_s, self._issued, digest))
        return ticket_text


class Origins:
    """Which web pages may use the server; browsers send the origin of a page with each request.

    Args:
        allowed: Origins such as `https://example.com`, or `*` for all. Without any, only pages
            that came from the server itself.
        local: The server listens on loopback only. A page then has to come from a loopback host
            name: another name that resolves to this machine is a DNS rebinding attack. All
            loopback names are the same place: a page from `localhost` may connect to `127.0.0.1`
            on the same port. That gives nothing away: such a page came from a program on this
            machine, and programs on this machine can connect without an origin.
    """

    def __init__(self, allowed: Iterable[str], *, local: bool) -> None:
        self.listed = tuple(allowed)
        self._allowed = {origin.lower() for origin in self.listed}
        self._local = local

    def allow(self, origin: str | None, host: str) -> bool:
        """Whether a request is allowed.

        Args:
            origin: Its `Origin` header; None = no header, as from a program.
            host: Its `Host` header.
        """
        if origin is None:
            return True
        if self._allowed:
            return origin != "null" and not self._allowed.isdisjoint({"*", origin.lower()})
        try:
            parts = urlsplit(origin)
            came_from = _address(origin, parts.scheme)
            served_at = _address(f"//{host}", parts.scheme)
            if self._local:
                loopback = is_loopback(came_from[0]) and is_loopback(served_at[0])
                return loopback and came_from[1] == served_at[1]
            return came_from == served_at
        except ValueError:
            return False


def is_loopback(host: str) -> bool:
    """Whether a host name or address always is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()


def _address(url: str, scheme: str) -> tuple[str, int | None]:
    """Host and port of a URL; raises ValueError when it has none."""
    parts = urlsplit(url)
    if not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(url)
    return parts.hostname, parts.port or DEFAULT_PORTS.get(scheme)
