"""Log lines about clients that were refused: few, however often they try again."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Literal

from streamer.access.tokens import AuthState

REPORT_INTERVAL_S = 10.0
"""Seconds between two log lines of one kind."""

NO_TOKEN = "a token is needed, and none was sent"  # noqa: S105 – a sentence
UNREAD_TOKEN = "a token is needed, and none could be read"  # noqa: S105 – a sentence
WRONG_TOKEN = (
    "the token is not valid: it is not one of the server's tokens, "  # noqa: S105
    "and not an unused ticket of this server or its group"
)
EXPIRED_TICKET = "the ticket is not valid: it has expired; get a new one"
USED_TICKET = "the ticket is not valid: it admits once, and was used before; get a new one"

RefusalKind = Literal["room", "no token", "wrong token", "page", "scheme"]

_SENTENCES = {
    AuthState.UNKNOWN: NO_TOKEN,
    AuthState.REFUSED: WRONG_TOKEN,
    AuthState.EXPIRED: EXPIRED_TICKET,
    AuthState.USED: USED_TICKET,
}

_log = logging.getLogger(__name__)


def why_unauthorized(auth: AuthState, unread: str | None = None) -> str:
    """The sentence for a client that is not admitted.

    Args:
        auth: What is known of it.
        unread: Why the message cannot be read that may hold its token.
    """
    if auth is AuthState.UNKNOWN and unread is not None:
        return f"{UNREAD_TOKEN}: {unread}"
    return _SENTENCES[auth]


def with_advice(sentence: str, places: str) -> str:
    """A sentence of `why_unauthorized`, and where to send a token if none was sent or read."""
    missing = sentence.startswith((NO_TOKEN, UNREAD_TOKEN))
    return f"{sentence}; {places}" if missing else sentence


class RefusalLog:
    """Logs at most one line of each kind every `REPORT_INTERVAL_S`; the metrics count them all.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next_s: dict[RefusalKind, float] = {}
        self._unreported: Counter[RefusalKind] = Counter()

    def no_room(self, message: str) -> None:
        """A client found no room."""
        self._report("room", f"a client was refused: {message}")

    def unauthorized(self, address: str | None, auth: AuthState, unread: str | None = None) -> None:
        """A client showed no token, or a wrong one.

        Args:
            address: Of the client; None = unknown.
            auth: What is known of it.
            unread: As of `why_unauthorized`.
        """
        kind: RefusalKind = "no token" if auth is AuthState.UNKNOWN else "wrong token"
        who = f"a client at {address or 'an unknown address'}"
        self._report(kind, f"{who} was refused: {why_unauthorized(auth, unread)}")

    def page(self, line: str) -> None:
        """A web page may not connect."""
        self._report("page", line)

    def wrong_scheme(self, line: str) -> None:
        """A client speaks TLS where there is none, or none where there is TLS."""
        self._report("scheme", line)

    def _report(self, kind: RefusalKind, line: str) -> None:
        now_s = self._clock()
        if now_s < self._next_s.get(kind, now_s):
            self._unreported[kind] += 1
            return
        more = self._unreported.pop(kind, 0)
        since = f" ({more} more since the last line about this)" if more else ""
        _log.warning("%s%s", line, since)
        self._next_s[kind] = now_s + REPORT_INTERVAL_S
