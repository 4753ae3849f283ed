"""TLS by the server itself."""

import asyncio
import http.client
import ssl
import sys
from pathlib import Path

import pytest

from streamer_client import CannotConnect, connect
from tests.end_to_end.certificates import self_signed, trusting
from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import silence


@pytest.fixture
def secured(launch: Launch, tmp_path: Path) -> tuple[Server, Path]:
    """A server with a certificate, and the certificate."""
    certificate, key = self_signed(tmp_path)
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    return launch({"model": {"type": "standin"}, "server": files}), certificate


def test_requests(secured: tuple[Server, Path]) -> None:
    server, certificate = secured
    connection = http.client.HTTPSConnection(
        "localhost", server.port, timeout=TIMEOUT_S, context=trusting(certificate)
    )
    connection.request("GET", "/api/v1/health")
    assert connection.getresponse().status == 200
    connection.close()
    assert f"  in a browser    https://127.0.0.1:{server.port}/" in server.log()
    assert f"wss://127.0.0.1:{server.port}/api/v1/segmented" in server.log()


def test_old_versions_are_refused(secured: tuple[Server, Path]) -> None:
    server, certificate = secured
    old = trusting(certificate)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    connection = http.client.HTTPSConnection("localhost", server.port, context=old)
    with pytest.raises(ssl.SSLError):
        connection.request("GET", "/api/v1/health")
    connection.close()


async def test_streams(secured: tuple[Server, Path]) -> None:
    server, certificate = secured
    address = f"wss://localhost:{server.port}/api/v1/simple"
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streamer_client", "-i", "-", "-a", address),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"SSL_CERT_FILE": str(certificate), "PATH": ""},
    )
    out, _ = await command.communicate(silence(1).data)
    assert (command.returncode, out.decode()) == (0, "[00:00.0 → 00:01.0] count=16000\n")
    with pytest.raises(CannotConnect, match="CERTIFICATE_VERIFY_FAILED"):
        async with connect(address):
            pass


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ssl_certfile": "nowhere.pem"}, "'server.ssl_certfile' nowhere.pem: there is no such"),
        ({"ssl_keyfile": "nowhere.pem"}, "'server.ssl_keyfile' nowhere.pem: there is no such file"),
        ({"ssl_keyfile": None}, "certificate.pem with its key: "),
    ],
)
def test_a_certificate_that_cannot_be_used(
    launch: Launch, tmp_path: Path, changed: dict[str, str | None], says: str
) -> None:
    certificate, key = self_signed(tmp_path)
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key), **changed}
    server = launch({"model": {"type": "standin"}, "server": files}, ready=False)
    assert server.process.wait(TIMEOUT_S) == 2
    assert server.log().startswith("streamer: cannot use ")
    assert says in server.log()
    assert server.log().count("\n") == 1
