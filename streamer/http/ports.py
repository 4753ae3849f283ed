"""The addresses that the server listens on: of HTTP, and of the ports for single dialects."""

import errno
import logging
import re
import socket
from collections.abc import Sequence
from typing import Literal, NamedTuple

from streamer.access.tokens import Access, is_loopback
from streamer.config.ports import GrpcConfig, ServerConfig, VoskConfig, WyomingConfig
from streamer.config.schema import Config
from streamer.http.certificate import names_of
from streamer.http.listening import Listeners, listen

_REMEDIES = {
    errno.EACCES: "ports below 1024 need more rights: choose a higher one with --port",
    errno.EADDRNOTAVAIL: "'server.host' must be an address of this machine, such as 127.0.0.1, or "
    "0.0.0.0 for all of its addresses",
    errno.EAFNOSUPPORT: "this machine has no addresses of this kind: choose another 'server.host'",
}
"""By error number: what to do when an address cannot be listened on."""

ALL_ADDRESSES = ("", "0.0.0.0", "::")  # noqa: S104 – compared, not bound
"""Hosts that stand for all addresses of a machine."""

_log = logging.getLogger(__name__)


class CannotServe(Exception):
    """The server cannot listen as configured; the message is one line."""


class Ports(NamedTuple):
    """What the server listens on. Those of a port that is not configured are none."""

    http: Listeners
    vosk: Listeners
    wyoming: Listeners
    grpc: Listeners


def listen_everywhere(config: Config) -> Ports:
    """Listen on the addresses of all configured ports.

    Raises:
        CannotServe: One of them cannot be listened on; then none is.
    """
    opened: list[Listeners] = []
    try:
        opened.append(_listen_for_http(config.server, config.limits.drain_seconds))
        opened.append(_listen_for_dialect(config, "vosk"))
        opened.append(_listen_for_dialect(config, "wyoming"))
        opened.append(_listen_for_dialect(config, "grpc"))
    except CannotServe:
        for listeners in opened:
            for listener in listeners.sockets:
                listener.close()
        raise
    return Ports(*opened)


def _listen_for_http(server: ServerConfig, drain_s: float) -> Listeners:
    """Listen on the configured addresses."""
    host, port = server.host, server.port
    try:
        listeners = listen(host, port, round(server.ping_timeout_seconds * 1000))
    except OSError as error:
        reason = f"cannot listen on {host} port {port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = (
                f"port {port} is in use on {host}: stop what uses it, or choose another: --port N, "
                "or STREAMER_SERVER__PORT=N make run. An earlier server that was told to end may "
                f"still serve its open streams, for at most {drain_s:g} s (limits.drain_seconds): "
                "wait, or send it a second Ctrl-C"
            )
        elif remedy := _REMEDIES.get(error.errno or 0):
            reason += f"; {remedy}"
        elif isinstance(error, socket.gaierror):
            reason += "; 'server.host' must be a name or an address of this machine"
            if re.search(r"/|:\d+$", host):
                reason += ", without a scheme and without the port, which is 'server.port'"
        raise CannotServe(reason) from None
    for address in listeners.skipped:
        _log.info("%s is an address of %s, and not of this machine", address, host)
    return listeners


def shown_url(server: ServerConfig, host: str, listeners: Listeners) -> str:
    """The address to show to people: `http://127.0.0.1:8080`; with TLS, of a name that is valid."""
    if server.ssl_certfile:
        host = _valid_name(_usable(host), names_of(server.ssl_certfile))
    scheme = "https" if server.ssl_certfile else "http"
    return f"{scheme}://{_shown_host(host)}:{listeners.port}"


def _shown_host(host: str) -> str:
    """The host as it is written in an address."""
    shown = _usable(host)
    return f"[{shown}]" if ":" in shown else shown


def _usable(host: str) -> str:
    """The host, or of those that stand for all addresses, one that can be used."""
    return "127.0.0.1" if host in ALL_ADDRESSES else host


def _valid_name(host: str, names: Sequence[str]) -> str:
    """The host, or if the certificate is not valid for it, a name for which it is."""
    _, dot, domain = host.partition(".")
    if not names or host in names or f"*{dot}{domain}" in names:
        return host
    local = ("localhost",) if is_loopback(host) else ()
    whole = [name for name in names if "*" not in name]
    return next((name for name in (*local, *whole) if name in whole), host)


def shown_addresses(listeners: Listeners) -> str:
    """What the name in the address to show stands for, if that is more than one address."""
    addresses = listeners.addresses
    return f" ({', '.join(addresses)})" if len(addresses) > 1 else ""


def _listen_for_dialect(config: Config, section: Literal["vosk", "wyoming", "grpc"]) -> Listeners:
    """Listen on the addresses of the port for one dialect; on none if there is no port.

    That of gRPC is only held, because its library listens by itself.
    """
    settings: VoskConfig | WyomingConfig | GrpcConfig = getattr(config, section)
    host, port = settings.host, settings.port
    if not port:
        return Listeners([], [])
    timeout_ms = round(config.server.ping_timeout_seconds * 1000)
    try:
        return listen(host, port, timeout_ms, accepting=section != "grpc")
    except OSError as error:
        reason = f"cannot listen on {host} port {port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is in use on {host}: stop what uses it, or choose another"
        raise CannotServe(f"{reason}; see '{section}.host' and '{section}.port'") from None


def _reachable(host: str, address: str) -> str:
    """What other machines can reach: the address, or if it stands for all of them, the port."""
    if host not in ALL_ADDRESSES:
        return address
    return f"port {address.rpartition(':')[2]} on any address of this machine"


def warn_if_open(host: str, address: str, access: Access) -> None:
    """Log that an address needs no token, if other machines can reach it."""
    if not (is_loopback(host) or access.required):
        _log.warning(
            "everybody who can reach %s can use this server: set access.tokens, or listen on "
            "127.0.0.1",
            _reachable(host, address),
        )


def report_vosk(config: Config, listeners: Listeners, access: Access) -> None:
    """Log the address of the port for clients of vosk-server, and who can use it."""
    shown = shown_url(config.server, config.vosk.host, listeners).replace("http", "ws", 1)
    _log.info("vosk-server's protocol on %s", shown)
    warn_if_open(config.vosk.host, shown, access)


def report_wyoming(wyoming: WyomingConfig, listeners: Listeners, access: Access) -> str:
    """Log the address of the port for Wyoming, and who can use it; returns the address."""
    shown = f"tcp://{_shown_host(wyoming.host)}:{listeners.port}"
    _log.info("Wyoming on %s", shown)
    if not is_loopback(wyoming.host):
        tokens = ": access.tokens do not count there" if access.required else ""
        reachable = _reachable(wyoming.host, shown)
        _log.warning("everybody who can reach %s can use this server%s", reachable, tokens)
    return shown


def report_grpc(config: Config, listeners: Listeners, access: Access) -> str:
    """Log the address of the port for gRPC, and who can use it; returns the address."""
    scheme = "grpcs" if config.server.ssl_certfile else "grpc"
    shown = shown_url(config.server, config.grpc.host, listeners)
    shown = f"{scheme}://{shown.partition('://')[2]}"
    families = " and all other addresses of this machine, of IPv4 and of IPv6"
    _log.info("gRPC on %s%s", shown, families if listeners.everywhere else "")
    warn_if_open(config.grpc.host, shown, access)
    return shown
