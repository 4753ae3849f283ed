"""Opening and closing the WebSocket, and an error for each way in which opening fails."""

import asyncio
import os
import re
import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websocket_connect
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)

from streamer_client.errors import CannotConnect, InvalidAddress
from streamer_client.refusals import reason_in, refusal, shows_token
from streamer_client.wrong_path import STREAM_PATHS, shown

CLOSE_TIMEOUT_S = 3.0
"""Seconds for the closing handshake."""

PONG_TIMEOUT_S = 300.0
"""Seconds. A pong waits behind all audio that the network and the server still hold; that is
minutes of it when a file is sent faster than the model can process it."""

_OTHER_NAME = frozenset({62, 63, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH, EMAIL_MISMATCH and IP_ADDRESS_MISMATCH of OpenSSL."""
_WRONG_DATE = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and CERT_HAS_EXPIRED of OpenSSL."""

EXAMPLE_ADDRESS = f"ws://localhost:8080{STREAM_PATHS[0]}"


async def open_websocket(url: str, token: str | None, timeout_s: float) -> ClientConnection:
    """Connect to `url` and complete the opening handshake within `timeout_s` seconds.

    Raises:
        InvalidAddress: `url` is not a WebSocket URL.
        CannotConnect: nothing usable answers there, or not in time.
        Unauthorized: the server requires another token.
    """
    host = check_address(url)
    place = shown(url)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    try:
        return await websocket_connect(
            url,
            additional_headers=headers,
            compression=None,
            open_timeout=timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_timeout=PONG_TIMEOUT_S,
            # A proxy from the environment cannot reach this machine's own loopback interface.
            proxy=None if _is_loopback(host) else True,
            # Events are small next to the audio they are about. Holding them here without bound
            # means that a caller who sends everything before reading cannot deadlock.
            max_queue=None,
        )
    except InvalidURI as error:
        raise InvalidAddress(f"{place} is not a WebSocket address: {error.msg}") from error
    except InvalidStatus as error:
        response = error.response
        raise refusal(
            url,
            response.status_code,
            response.headers.get("Retry-After"),
            reason_in(response.body),
            token_sent=shows_token(url, token),
        ) from error
    except TimeoutError as error:
        raise CannotConnect(f"no answer from {place} within {timeout_s:g} s") from error
    except (InvalidMessage, EOFError) as error:
        tls = (
            f"; if it uses TLS: {place.replace('ws:', 'wss:', 1)}" if url.startswith("ws:") else ""
        )
        raise CannotConnect(f"what listens at {place} is not a Streamer server{tls}") from error
    except InvalidHandshake as error:
        raise CannotConnect(f"{place} refused the WebSocket handshake: {error}") from error
    except ssl.SSLError as error:
        raise _tls_failure(url, error) from error
    except ConnectionRefusedError as error:
        raise CannotConnect(f"no server is listening at {place}") from error
    except OSError as error:
        # Several addresses were tried, each with an error of its own: the text is theirs together.
        what = "no server is listening at" if "refused" in str(error).lower() else "cannot reach"
        text = error.strerror or str(error) or "the connection was closed"
        reason = "" if "refused" in str(error).lower() else f": {text}"
        meant = None
        if url.startswith("wss:") and isinstance(error, ConnectionError) and reason:
            meant = url.replace("wss:", "ws:", 1)
            reason += f"; if it does not use TLS: {shown(meant)}"
        raise CannotConnect(f"{what} {place}{reason}", meant=meant) from error


def _tls_failure(url: str, error: ssl.SSLError) -> CannotConnect:
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        plain = url.replace("wss:", "ws:", 1)
        return CannotConnect(
            f"the server at {shown(url)} does not use TLS: {shown(plain)}", meant=plain
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return CannotConnect(_certificate_problem(shown(url), error), tls_failed=True)
    return CannotConnect(
        f"no TLS connection to {shown(url)}: {error.reason or error}", tls_failed=True
    )


def _certificate_problem(place: str, error: ssl.SSLCertVerificationError) -> str:
    """Why the server's certificate was not accepted, and what to do."""
    from streamer.config.guide import page  # importing the package is light
    from streamer.config.paths import is_file

    reason = error.verify_message.rstrip(".")
    if error.verify_code in _OTHER_NAME:
        return (
            f"the certificate of {place} is for another name: {reason}; "
            "use a name in the address that the certificate has"
        )
    if error.verify_code in _WRONG_DATE:
        return f"the certificate of {place} cannot be used: {reason}; the server needs another one"
    problem = f"the certificate of {place} is not trusted: {reason} (CERTIFICATE_VERIFY_FAILED)"
    given = os.environ.get("SSL_CERT_FILE")
    now = f"; now it is {given}" if given else ""
    missing = ", and there is no such file" if given and not is_file(given) else ""
    return (
        f"{problem}; if it is your own, name its file in the environment: "
        f"SSL_CERT_FILE=certificate.pem ({page('deployment.md#tls')}){now}{missing}"
    )


async def close_websocket(websocket: ClientConnection) -> None:
    """Close in order; after `CLOSE_TIMEOUT_S` seconds, abort."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await websocket.close()
    except TimeoutError:
        # A server that does not read lets the closing frame wait behind unsent audio forever.
        websocket.transport.abort()


def close_soon(websocket: ClientConnection) -> None:
    """Let the connection's event loop close it. May be called in any thread."""
    loop = websocket.loop
    if loop.is_closed():
        return

    def begin() -> None:
        # The timer in `close_websocket` refers to the task. If the program ends before it is done,
        # asyncio cancels it like all tasks.
        task = loop.create_task(close_websocket(websocket))
        task.add_done_callback(lambda _: websocket.transport.abort())

    try:
        is_running = asyncio.get_running_loop() is loop
    except RuntimeError:
        is_running = False
    if is_running:
        begin()  # at once: when the program ends, what is only scheduled begins too late
    else:
        loop.call_soon_threadsafe(begin)


def check_address(url: str) -> str:
    """Return the host in `url`.

    Raises:
        InvalidAddress: it is not a complete `ws://` or `wss://` URL.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidAddress(f"{shown(url)} is not a WebSocket address: {error}") from error
    if parts.scheme not in ("ws", "wss") or not host:
        from streamer.config.paths import is_file

        if is_file(url):
            raise InvalidAddress(
                f"{url} is a file, not an address; give one like {EXAMPLE_ADDRESS}"
            )
        meant = meant_address(url)
        hint = f"did you mean {shown(meant)}?" if meant else f"give one like {EXAMPLE_ADDRESS}"
        raise InvalidAddress(f"{shown(url)} is not a WebSocket address; {hint}")
    return host


def meant_address(url: str) -> str | None:
    """The complete address of which parts are missing; None = none like it is known."""
    url = re.sub(r"^(\w+):/(?!/)", r"\1://", url)
    if url.lower() == "localhost":
        url = "localhost:8080"
    if re.match(r"/?api/v1/", url):
        url = f"localhost:8080/{url.lstrip('/')}"
    scheme, separator, rest = url.rpartition("://")
    if scheme not in ("", "http", "https", "ws", "wss") or (separator and not scheme):
        return None
    host, slash, path = rest.partition("/")
    if port := re.fullmatch(r":?(\d{2,5})", host):
        host = f"localhost:{port[1]}"
    if not re.fullmatch(r"(localhost|[\w-]+(\.[\w-]+)+|\[[\da-fA-F:]+\])(:\d+)?", host):
        return None
    path = f"{slash}{path}" if path else STREAM_PATHS[0]
    return f"{'wss' if scheme in ('https', 'wss') else 'ws'}://{host}{path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
