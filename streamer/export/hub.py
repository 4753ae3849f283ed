"""Downloads one file from the Hugging Face hub.

`HF_TOKEN` is sent if there is one, and `HF_ENDPOINT` names another hub, as for the hub's own tools.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast

import msgspec

from streamer.weights.manifest import CHUNK, ModelError
from streamer.weights.manifest_schema import HubSource

HUB = "https://huggingface.co"
TIMEOUT_S = 30.0
"""Seconds without a byte from the hub."""
LARGEST_BYTES = 1 << 30
"""Bytes. A download that is larger is not the file that was requested."""

_REFUSALS = {
    401: "it is not there, or wants a token: set HF_TOKEN to one that may read it",
    403: "this token may not read it: accept its terms on its page, and check HF_TOKEN",
    404: "it is not there",
}


class HubError(ModelError):
    """A file could not be downloaded from the hub; the message is one line for the user."""


class _Revision(msgspec.Struct):
    """The hub's description of a revision, as far as it is used."""

    sha: str


def download(source: HubSource, to: Path, advance: Callable[[int], object]) -> str:
    """Download the source's file to `to`; return the commit that its revision stood for.

    Raises:
        HubError: The hub cannot be reached, refuses, or sends an incomplete file.
    """
    hub = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    if not hub.startswith(("https://", "http://")):
        raise HubError(f"HF_ENDPOINT is {hub!r}; allowed: an http or https address")
    url = f"{hub}/api/models/{source.repository}/revision/{source.revision}"
    try:
        with _get(url) as answer:
            commit = msgspec.json.decode(answer.read(CHUNK), type=_Revision).sha
        url = f"{hub}/{source.repository}/resolve/{commit}/{source.file}"
        with _get(url) as answer:
            _copy(answer, to, url, advance)
    except urllib.error.HTTPError as error:
        meaning = _REFUSALS.get(error.code, f"the hub answered {error.code} {error.reason}")
        error.close()
        raise HubError(f"cannot get {url}: {meaning}") from error
    except msgspec.DecodeError as error:
        raise HubError(f"{url} does not answer like a hub: {error}") from error
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise HubError(
            f"cannot get {url}: {reason}; or get it elsewhere and give its folder with --from"
        ) from error
    return commit


def _get(url: str) -> HTTPResponse:
    request = urllib.request.Request(url)  # noqa: S310 – the scheme is checked
    if token := os.environ.get("HF_TOKEN"):
        # The hub redirects to a store of another owner, which must not get the token.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return cast(HTTPResponse, urllib.request.urlopen(request, timeout=TIMEOUT_S))  # noqa: S310


def _copy(answer: HTTPResponse, to: Path, url: str, advance: Callable[[int], object]) -> None:
    announced = answer.length
    received = 0
    with to.open("xb") as file:
        while chunk := answer.read(CHUNK):
            received += len(chunk)
            if received > LARGEST_BYTES:
                raise HubError(f"{url} is larger than {LARGEST_BYTES} bytes: given up")
            file.write(chunk)
            advance(len(chunk))
    if announced is not None and received != announced:
        raise HubError(f"{url} broke off after {received} of {announced} bytes: try again")
