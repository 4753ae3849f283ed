"""Who may use the server: tokens, single-use tickets, and the web pages that may connect.

Pure: the clock is passed in, and nothing here depends on sockets or HTTP.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from enum import Enum, auto
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit

TICKET_SECONDS = 60
MAX_TICKETS = 10_000
"""Tickets that are valid at the same time; a new one removes the oldest."""

DEFAULT_PORTS = {"http": 80, "https": 443}


class AuthState(Enum):
    """What is known of a client by the credential it has shown."""

    ADMITTED = auto()
    """It has shown a valid token or ticket, or the server needs none."""
    REFUSED = auto()
    """It has shown one that is not valid."""
    UNKNOWN = auto()
    """It has shown none yet."""


class Access:
    """The tokens of the configuration, and the tickets given for them.

    Only digests are kept, of equal length, so that comparing takes the same time whatever is
    shown, and nothing that is printed or dumped holds a secret.

    Args:
        tokens: Each of them admits a client; without tokens, every client is admitted.
        clock: Monotonic seconds.
    """

    def __init__(self, tokens: Iterable[str], clock: Callable[[], float]) -> None:
        self._tokens = [_digest(token) for token in tokens]
        self._tickets: dict[bytes, float] = {}
        """When each expires, the oldest first."""
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

    def admits(self, shown: str) -> bool:
        """Whether this token or ticket is valid; a ticket is used up by this call."""
        expires_s = self._tickets.pop(_digest(shown), None)
        return self.is_token(shown) or (expires_s is not None and self._clock() < expires_s)

    def auth_state(self, shown: str | None) -> AuthState:
        """The state of a client that has shown this credential; None = none."""
        if not self.required:
            return AuthState.ADMITTED
        if shown is None:
            return AuthState.UNKNOWN
        return AuthState.ADMITTED if self.admits(shown) else AuthState.REFUSED

    def issue_ticket(self) -> str:
        """A ticket that admits once, within `TICKET_SECONDS`."""
        now_s = self._clock()
        for ticket, expires_s in list(self._tickets.items()):
            if expires_s > now_s and len(self._tickets) < MAX_TICKETS:
                break
            del self._tickets[ticket]
        ticket_text = secrets.token_urlsafe(24)
        self._tickets[_digest(ticket_text)] = now_s + TICKET_SECONDS
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


def bearer(authorization: str | None) -> str | None:
    """The token in an `Authorization` header, if it has one."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()


def _address(url: str, scheme: str) -> tuple[str, int | None]:
    """Host and port of a URL; raises ValueError when it has none."""
    parts = urlsplit(url)
    if not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(url)
    return parts.hostname, parts.port or DEFAULT_PORTS.get(scheme)
