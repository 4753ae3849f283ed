"""Where the server listens: its own port, and those of other protocols."""

import re
from collections.abc import Collection
from typing import Annotated, Literal, get_args

from msgspec import Meta

from streamer.config.dialect_names import AddedDialect, GrpcDialect
from streamer.config.explain import ALLOWED
from streamer.config.section import Conflict, Count, File, Host, Port, Seconds, Section


class ServerConfig(Section, frozen=True):
    """Where the server listens, behind which proxy, with which certificate, and what it logs."""

    host: Host = "127.0.0.1"
    """The address to listen on. With a host name, the server listens on all addresses of this name
    that the machine has. `0.0.0.0` = every IPv4 address of the machine, `::` = every IPv4 and IPv6
    address: with these, set [`access`](#access)."""
    port: Port = 8080
    """0 = a free port; the first line that the server prints shows it."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Less severe messages are not logged."""
    root_path: str = ""
    """The path below which a reverse proxy serves Streamer, such as `/speech`, without a slash at
    its end."""
    forwarded_allow_ips: Annotated[
        tuple[str, ...], Meta(extra={ALLOWED: """a list in JSON, such as '["10.0.0.1"]'"""})
    ] = ()
    """The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. If it is empty, the
    address of the connection counts as the client's address."""
    ssl_certfile: File | None = None
    """TLS: the certificate, with its full chain. The path is relative to the folder in which the
    server is started."""
    ssl_keyfile: File | None = None
    """Its key, if the key is in another file."""
    ping_interval_seconds: Seconds = 20.0
    """Time between two keepalive pings; many proxies and routers drop connections that are silent
    for a minute."""
    ping_timeout_seconds: Seconds = 20.0
    """A client that does not answer a ping within this time is disconnected."""
    dialects: tuple[AddedDialect, ...] = get_args(AddedDialect)
    """Protocols of other vendors that are served, beside Streamer's own. `[]` = none."""

    def conflict(self) -> Conflict | None:
        """What is wrong; None when nothing is."""
        if not re.fullmatch(r"(/[^/?#\s]+)*", self.root_path):
            message = "'server.root_path' is not a path like /speech, without a slash at its end"
            return Conflict(("root_path",), message)
        if self.ssl_keyfile and not self.ssl_certfile:
            message = "'server.ssl_keyfile' is given without 'server.ssl_certfile'"
            return Conflict(("ssl_keyfile",), message)
        return None


class WyomingConfig(Section, frozen=True):
    """The port for Home Assistant's voice services.

    The protocol has no credentials: every client that reaches the port may use the server.
    """

    host: Host = "127.0.0.1"
    """The address to listen on, as [`server.host`](#server)."""
    port: Port = 0
    """0 = there is no such port. Home Assistant's usual one is 10300."""
    ends_commands: bool = False
    """true = the server finds the end of a voice command, and Home Assistant from 2026.11 on does
    not look for it. The command is then the first speech that `vad.min_silence_ms` of silence
    follow."""
    announce: bool = False
    """true = the port is announced in the local network (zeroconf), and Home Assistant offers it by
    itself. It needs `pip install 'streamer-server[zeroconf]'`, and a `host` that other machines
    reach."""

    def conflict(self) -> Conflict | None:
        """What is wrong; None when nothing is."""
        if self.announce and not self.port:
            message = "'wyoming.announce' is true, and 'wyoming.port' is 0, which means none"
            return Conflict(("announce",), message)
        return None


class VoskConfig(Section, frozen=True):
    """A port on which the protocol of vosk-server is spoken at every path.

    With `server.ssl_certfile`, it takes TLS only.
    """

    host: Host = "127.0.0.1"
    """The address to listen on."""
    port: Port = 0
    """0 = no such port."""

    def conflict(self, dialects: Collection[AddedDialect]) -> Conflict | None:
        """What is wrong; None when nothing is.

        Args:
            dialects: `server.dialects`.
        """
        if self.port and "vosk" not in dialects:
            message = f"'vosk.port' is {self.port}, and 'server.dialects' is without vosk"
            return Conflict(("port",), message)
        return None


class GrpcConfig(Section, frozen=True):
    """A port for streams over gRPC. It needs the extra `grpc`.

    With `server.ssl_certfile`, it takes TLS only.
    """

    host: Host = "127.0.0.1"
    """The address to listen on, as [`server.host`](#server). But `0.0.0.0`, `::` and an empty one
    all mean the same here: every address of the machine, of IPv4 **and** of IPv6. So a firewall has
    to know both."""
    port: Port = 0
    """0 = no such port. gRPC's usual one is 50051."""
    dialects: Annotated[tuple[GrpcDialect, ...], Meta(min_length=1)] = get_args(GrpcDialect)
    """The services: `streamer` is `streamer.v1.Streaming`, `google` and `riva` are those of [other
    vendors' programs](clients.md#google). With one of these two, any call may hold 10 MiB while a
    message arrives, without them `limits.max_message_bytes`: see [SECURITY.md](../SECURITY.md). In
    metrics and logs, these are names of dialects."""
    reflection: bool = False
    """true = the port shows its schemas to every client that reaches it, as grpcurl needs."""
    max_connection_age_ms: Count = 0
    """Milliseconds after which a connection takes no new calls; open calls go on. 0 = never. For
    balance between several servers."""
