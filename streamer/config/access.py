"""Who may use the server: what tokens, secrets and origins have to look like."""

import re
from typing import Annotated

from msgspec import Meta

from streamer.config.explain import ALLOWED
from streamer.config.section import Conflict, File, Section

NO_HEADER = "holds one that no HTTP header can carry; allowed: visible ASCII"


def fits_header(token: str) -> bool:
    """Whether an `Authorization` header can carry the token."""
    return re.fullmatch(r"[!-~]+", token) is not None


MIN_SECRET_CHARACTERS = 32
"""Of a secret that signs tickets; `openssl rand -hex 32` prints 64."""

SHORT_SECRET = (
    f"holds one of fewer than {MIN_SECRET_CHARACTERS} characters; "
    "`openssl rand -hex 32` prints a good one"
)


def is_good_secret(secret: str) -> bool:
    """Whether it is long enough to sign tickets."""
    return len(secret) >= MIN_SECRET_CHARACTERS


ORIGIN = r"\*|https?://[^/?#\s*]+"
"""What `access.origins` holds: scheme, host and port of a page, or `*`."""

DEFAULT_PORT = r"(?i:(http://[^/?#\s*]+):80|(https://[^/?#\s*]+):443)"
"""An origin with a port that browsers leave out, so that no page has it."""


def _origin_problem(text: str) -> str | None:
    """What to write instead of an origin that no page has; None = it is right."""
    if usual := re.fullmatch(DEFAULT_PORT, text):
        return f"browsers leave out this port; did you mean {usual[1] or usual[2]}?"
    if re.fullmatch(ORIGIN, text):
        return None
    if address := re.fullmatch(r"(https?://[^/?#\s*]+)[/?#]\S*", text):
        extra = "slash at its end" if text == f"{address[1]}/" else "path"
        return f"an origin has no {extra}; did you mean {address[1]}?"
    if re.fullmatch(r"https?://[^/?#\s]+", text):
        return "a name has no * within; name each origin, or give * alone for all"
    if address := re.fullmatch(
        r"(?:ws(s?)://)?((?:localhost|[\w.-]+:\d+|\d+(?:\.\d+){3})[^/?#\s*]*)/?", text
    ):
        return f"an origin begins with http:// or https://; did you mean http{address[1] or ''}://{address[2]}?"
    return "allowed: https://example.com, or *"


class AccessConfig(Section, frozen=True):
    """Who may use the server. Without tokens: every client that can reach it.

    `ticket_secrets` sign the tickets of a group of servers, of which each accepts those of the
    others. The first signs, and all are accepted. Without: a ticket is for the server that gave it.
    """

    tokens: tuple[str, ...] = ()
    """A client with one of these tokens is admitted. The environment variable `STREAMER_TOKENS`
    adds tokens, separated by commas or spaces."""
    tokens_file: File | None = None
    """Adds the tokens in this file, one a line; `#` begins a comment. The path is relative to the
    configuration file."""
    ticket_secrets: tuple[str, ...] = ()
    """Secrets of at least 32 characters, which sign the
    [tickets](deployment.md#tickets-for-a-group-of-servers) of a group of servers, so that each
    accepts those of the others. The first signs, all are accepted. The environment variable
    `STREAMER_TICKET_SECRETS` adds secrets, separated by commas or spaces. Without any, a ticket is
    valid only on the server that issued it."""
    ticket_secrets_file: File | None = None
    """Adds the secrets in this file, one a line; `#` begins a comment. The path is relative to the
    configuration file."""
    origins: Annotated[
        tuple[str, ...],
        Meta(extra={ALLOWED: """a list in JSON, such as '["https://example.com"]'"""}),
    ] = ()
    """The origins of the web pages that may connect, and may send requests with any header (CORS).
    An origin has no path and no slash at its end; `["*"]` = all. An empty list = only pages of this
    server. Otherwise only the pages in the list: if the server's own page should work, add its
    origin."""

    def conflict(self) -> Conflict | None:
        """What is wrong, without showing a token; None when nothing is."""
        if not all(map(fits_header, self.tokens)):
            return Conflict(("tokens",), f"'access.tokens' {NO_HEADER}")
        if not all(map(is_good_secret, self.ticket_secrets)):
            return Conflict(("ticket_secrets",), f"'access.ticket_secrets' {SHORT_SECRET}")
        for origin in self.origins:
            if (problem := _origin_problem(origin)) is not None:
                message = f"'access.origins' holds {origin!r}; {problem}"
                return Conflict(("origins",), message)
        return None
