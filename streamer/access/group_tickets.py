"""Tickets that every server of a group accepts: signed with a secret that all of them have.

A ticket is its prefix and 57 bytes in base64url: whether it admits once (1 byte), when it expires
(8 bytes, milliseconds since 1970), a random number (16 bytes), and the HMAC-SHA256 of all that (32
bytes, https://www.rfc-editor.org/rfc/rfc2104). So servers keep nothing of a ticket that they issue,
and the next server can check it. Each server remembers which tickets it has admitted itself.

Pure: the clock is passed in.
"""

import base64
import hmac
import re
import secrets
import struct
from collections.abc import Callable, Sequence
from enum import Enum, auto
from hashlib import sha256
from heapq import heappop, heappush

FIELDS = struct.Struct(">BQ16s")
"""Single use or not, expiry in ms, a random number."""

MAC_BYTES = sha256().digest_size
TEXT_LENGTH = (FIELDS.size + MAC_BYTES) * 4 // 3
"""Characters after the prefix; the bytes are a multiple of 3, so base64 needs no padding."""

MAX_USED = 100_000
"""Single-use tickets that a server remembers: those that it admitted within a ticket's life."""

_TEXT = re.compile(rf"[A-Za-z0-9_-]{{{TEXT_LENGTH}}}")
_PURPOSE = b"streamer ticket 1\0"
"""What is signed begins with it, so that the secret's other signatures are none of tickets."""


class TicketState(Enum):
    """What a server makes of a ticket."""

    VALID = auto()
    UNKNOWN = auto()
    """Not a ticket, or not one of this group: changed, or signed with another secret."""
    EXPIRED = auto()
    USED = auto()
    """It admits once, and has done so at this server."""


class GroupTickets:
    """Issues and checks the tickets of a group of servers.

    Only digests of the secrets are kept, as of tokens.

    Args:
        group_secrets: At least one. The first signs; all of them are accepted, so that a secret can
            be replaced while tickets of the old one are in use.
        clock: Seconds since 1970. The clocks of the group must agree, to within much less than a
            ticket's life.
    """

    def __init__(self, group_secrets: Sequence[str], clock: Callable[[], float]) -> None:
        self._keys = [sha256(secret.encode()).digest() for secret in group_secrets]
        self._clock = clock
        self._used: set[bytes] = set()
        """The random numbers of tickets that admit once, and have, until they expire."""
        self._expiry: list[tuple[int, bytes]] = []
        """A heap of these numbers: when each expires."""

    def issue(self, prefix: str, seconds: float, *, single_use: bool) -> str:
        """A new ticket.

        Args:
            prefix: What it begins with.
            seconds: For how long it is valid.
            single_use: Whether it admits once at a server.
        """
        expires_ms = self._now_ms() + round(seconds * 1_000)
        fields = FIELDS.pack(single_use, expires_ms, secrets.token_bytes(16))
        signed = fields + _mac(self._keys[0], prefix, fields)
        return prefix + base64.urlsafe_b64encode(signed).decode()

    def use(self, shown: str) -> TicketState:
        """Check what a client has shown; a valid ticket for a single use is used up by this call.

        When the memory of used tickets is full, one more cannot be remembered, and is refused.
        """
        prefix, text = shown[:-TEXT_LENGTH], shown[-TEXT_LENGTH:]
        if _TEXT.fullmatch(text) is None:
            return TicketState.UNKNOWN
        signed = base64.urlsafe_b64decode(text)
        fields, mac = signed[: FIELDS.size], signed[FIELDS.size :]
        # Compared with every key, so that the time does not depend on which one fits.
        fitting = sum(hmac.compare_digest(mac, _mac(key, prefix, fields)) for key in self._keys)
        if not fitting:
            return TicketState.UNKNOWN
        single_use, expires_ms, number = FIELDS.unpack(fields)
        if expires_ms <= self._now_ms():
            return TicketState.EXPIRED
        if single_use and not self._remember(number, expires_ms):
            return TicketState.USED
        return TicketState.VALID

    def _remember(self, number: bytes, expires_ms: int) -> bool:
        """Note a number as used; False if it was, or cannot be noted."""
        now_ms = self._now_ms()
        while self._expiry and self._expiry[0][0] <= now_ms:
            self._used.discard(heappop(self._expiry)[1])
        if number in self._used or len(self._used) >= MAX_USED:
            return False
        self._used.add(number)
        heappush(self._expiry, (expires_ms, number))
        return True

    def _now_ms(self) -> int:
        return int(self._clock() * 1_000)


def _mac(key: bytes, prefix: str, fields: bytes) -> bytes:
    # The prefix may be whatever a client has written before the rest.
    text = prefix.encode(errors="surrogatepass")
    return hmac.digest(key, _PURPOSE + fields + text, sha256)
