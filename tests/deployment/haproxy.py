"""A real HAProxy with this repository's configuration, before servers of the test."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.deployment.files import DEPLOY
from tests.deployment.nginx import Proxy
from tests.end_to_end.certificates import self_signed
from tests.end_to_end.rpc.rpc_call import address_of
from tests.needed import program
from tools.harness.balancer import running_haproxy
from tools.harness.ports import free_port
from tools.harness.process import Server

PLACES = ("first", "second")
"""Names of the servers in the configuration."""


@contextlib.contextmanager
def haproxy(
    servers: Sequence[Server], folder: Path, changes: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """Serve `deploy/haproxy.cfg` on a free port of `localhost`; skips the test without HAProxy.

    Args:
        servers: One or two, with a port for gRPC.
        folder: For its files.
        changes: What else is replaced; each must be there once.
    """
    program("haproxy", "haproxy")
    port = free_port()
    certificate, key = self_signed(folder)
    together = folder / "together.pem"
    together.write_text(certificate.read_text() + key.read_text())
    replaced = {
        "bind :443": f"bind 127.0.0.1:{port}",
        "/etc/haproxy/speech.example.com.pem": str(together),
        **(changes or {}),
    }
    for number, name in enumerate(PLACES):
        http, rpc = f"127.0.0.1:808{1 + number}", f"127.0.0.1:5008{1 + number}"
        if number < len(servers):
            server = servers[number]
            replaced[f"server {name} {http}"] = f"server {name} 127.0.0.1:{server.port}"
            replaced[f"server {name} {rpc}"] = f"server {name} {address_of(server)}"
        else:
            replaced[f"    server {name} {http}\n"] = ""
            replaced[f"    server {name} {rpc} track sockets/{name}\n"] = ""
    with running_haproxy(DEPLOY / "haproxy.cfg", replaced, port, folder):
        yield Proxy(port, certificate)
