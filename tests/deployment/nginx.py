"""A real nginx with this repository's configuration, before a server of the test."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.deployment.files import DEPLOY
from tests.end_to_end.certificates import self_signed
from tests.needed import program
from tools.harness.process import TIMEOUT_S, wait_until

FRAME = """
{user}
daemon off;
error_log stderr;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """An nginx that listens on a port of `localhost`, and who signed for it."""

    port: int
    certificate: Path


@contextlib.contextmanager
def nginx(server_port: int, folder: Path, *, grpc_port: int | None = None) -> Iterator[Proxy]:
    """Serve `deploy/nginx.conf` on a free port; skips the test without nginx.

    With `grpc_port` also `deploy/nginx-grpc.conf`, changed as it says.
    """
    executable = program("nginx", "nginx-light")
    port = _free_port()
    certificate, key = self_signed(folder)
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;"
        if grpc_port is None
        else f"listen 127.0.0.1:{port} ssl http2; include grpc.conf;",
        "server 127.0.0.1:8080": f"server 127.0.0.1:{server_port}",
        "/etc/ssl/certs/speech.example.com.pem": str(certificate),
        "/etc/ssl/private/speech.example.com.key": str(key),
    }
    site = (DEPLOY / "nginx.conf").read_text()
    for written, wanted in changes.items():
        assert site.count(written) == 1, written
        site = site.replace(written, wanted)
    (folder / "site.conf").write_text(site)
    rpc = (DEPLOY / "nginx-grpc.conf").read_text()
    assert "listen 443 ssl http2;" in rpc
    assert rpc.count("grpc://127.0.0.1:50051;") == 1
    (folder / "grpc.conf").write_text(rpc.replace(":50051", f":{grpc_port}"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(FRAME.format(user=user))
    log = folder / "nginx.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [executable, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"], stderr=out
        )
    try:
        wait_until(lambda: _listens(port) or process.poll() is not None, "nginx listens")
        assert process.poll() is None, log.read_text()
        yield Proxy(port, certificate)
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
