"""The socket that the server listens on, and what may be wrong with its address or certificate."""

import errno
import os
import socket
import ssl
from pathlib import Path

from streamer.config.schema import ServerConfig


class CannotServe(Exception):
    """The server cannot listen where it was told to; the message is one line."""


def check_certificate(server: ServerConfig) -> None:
    """Find out what is wrong with the certificate or its key before anything is started."""
    if server.ssl_certfile is None:
        return
    for name in ("ssl_certfile", "ssl_keyfile"):
        if (path := getattr(server, name)) is not None and not os.access(path, os.R_OK):
            reason = "it may not be read" if Path(path).exists() else "there is no such file"
            raise CannotServe(f"cannot use 'server.{name}' {path}: {reason}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            server.ssl_certfile, server.ssl_keyfile, password=lambda: b""
        )
    except ssl.SSLError as error:
        raise CannotServe(
            f"cannot use 'server.ssl_certfile' {server.ssl_certfile} with its key: {error}"
        ) from None


def listen(to: ServerConfig) -> socket.socket:
    """Listen on the configured address.

    Raises:
        CannotServe: It is in use, or not this machine's.
    """
    host, port = to.host, to.port
    try:
        return _open(host, port, round(to.ping_timeout_seconds * 1000))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = (
                f"port {port} is in use on {host}: stop what uses it, or choose another --port"
            )
        else:
            message = f"cannot listen on {host} port {port}: {error.strerror or error}"
        raise CannotServe(message) from None


def _open(host: str, port: int, user_timeout_ms: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A client that acknowledges no ping for so long is gone, though nothing is read from it
        # at the moment. Connections inherit the option, which is Linux's.
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms)
        listener.bind(address)
        # Whoever connects as soon as the address is announced waits, instead of being refused.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def address_of(server: ServerConfig, listener: socket.socket) -> str:
    """The address to show to people: `http://127.0.0.1:8080`."""
    host = server.host
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 – shown, not bound
    scheme = "https" if server.ssl_certfile else "http"
    port = listener.getsockname()[1]
    return f"{scheme}://[{shown}]:{port}" if ":" in shown else f"{scheme}://{shown}:{port}"
