"""The log line for a web page that was refused: what to put into `access.origins` to allow it."""

import json
import re
from collections.abc import Iterable

from streamer.config.explain import show

ORIGIN = re.compile(r"https?://[A-Za-z0-9._~\[\]:-]{1,260}")
"""What is shown as a value: an origin as browsers send it. Clients can send anything."""


def describe_refusal(origin: str, own: str | None, allowed: Iterable[str]) -> str:
    """One line for the operator.

    Args:
        origin: The `Origin` header of the page.
        own: Origin of the server's own page, which a list replaces; None = not known.
        allowed: What `access.origins` holds.
    """
    if origin == "null":
        return (
            "a web page without an origin was refused, such as one opened from a file: "
            "serve it over http"
        )
    if not ORIGIN.fullmatch(origin):
        return f"a web page was refused: its origin is {show(origin)}; allowed: https://example.com"
    listed = list(allowed)
    if not listed and own is not None and own != origin and ORIGIN.fullmatch(own):
        listed = [own]
    value = json.dumps([*listed, origin])
    return f"a web page of {origin} was refused; to allow it, set access.origins to {value}"
