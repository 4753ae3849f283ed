"""The places in which clients show a token or a ticket, in the spellings of all of them.

| place | spelling |
|---|---|
| header `Authorization` | `Bearer X`, `Token X` in any case, or `X` alone |
| subprotocols | `token.X`, `openai-insecure-api-key.X`, or the pairs `token, X` and `bearer, X` |
| query | `token=X` |

Pure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

SCHEMES = frozenset({"bearer", "token"})
"""Of the header, and the first of two subprotocols."""

PREFIXES = ("token.", "openai-insecure-api-key.")
"""Of a subprotocol that is a credential."""

QUERY_NAME = "token"


def shown_in_header(authorization: str | None) -> str | None:
    """The credential in an `Authorization` header.

    None when there is none. `Basic X` is none: it is meant for a proxy.
    """
    words = (authorization or "").split()
    match words:
        case [scheme, credential] if scheme.lower() in SCHEMES:
            return credential
        case [credential] if credential.lower() not in SCHEMES:
            return credential
    return None


def shown(
    headers: Mapping[str, str], subprotocols: Sequence[str], query: Sequence[tuple[str, str]]
) -> str | None:
    """The credential in an upgrade request: that of the header, of a subprotocol, or of the query.

    Args:
        headers: Values by lower-case names.
        subprotocols: Those that the client offers, in its order.
        query: Names and values, decoded, in order.
    """
    in_header = shown_in_header(headers.get("authorization"))
    in_query = (value for name, value in query if name == QUERY_NAME and value)
    return in_header or next(_shown_in(subprotocols), None) or next(in_query, None)


def answered(subprotocols: Sequence[str], allowed: Collection[str]) -> str | None:
    """The first offered subprotocol that may be answered; None = none of them.

    A browser fails a socket that answers none of those that it has offered.
    """
    return next((name for name in subprotocols if name in allowed), None)


def _shown_in(subprotocols: Sequence[str]) -> Iterator[str]:
    for name in subprotocols:
        for prefix in PREFIXES:
            if name.startswith(prefix) and name != prefix:
                yield name.removeprefix(prefix)
    for scheme, credential in pairwise(subprotocols):
        # A client may offer both schemes before its credential.
        if credential and scheme.lower() in SCHEMES and credential.lower() not in SCHEMES:
            yield credential
