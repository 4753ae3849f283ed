"""TLS by the server itself."""

import asyncio
import http.client
import os
import socket
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from streamer.config.ports import ServerConfig
from streamer.http.certificate import BadCertificate, check_certificate
from streamer.http.listening import Listeners
from streamer.http.ports import shown_url
from streamer_client import CannotConnect, connect
from tests.end_to_end.certificates import self_signed, trusting
from tests.end_to_end.conftest import Launch
from tests.needed import program
from tools.harness.process import TIMEOUT_S, Server, wait_until
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
        (
            {"ssl_certfile": "nowhere.pem"},
            "'server.ssl_certfile' nowhere.pem: there is no such file "
            f"in {Path.cwd()}, where the server was started",
        ),
        (
            {"ssl_certfile": "HERE/certificat.pem"},
            "there is no such file; did you mean HERE/certificate.pem?",
        ),
        ({"ssl_keyfile": "nowhere.pem"}, "'server.ssl_keyfile' nowhere.pem: there is no such file"),
        (
            {"ssl_keyfile": None},
            "'server.ssl_certfile' HERE/certificate.pem: the file has no private key: set "
            "'server.ssl_keyfile'",
        ),
        (
            {"ssl_certfile": "HERE/text.txt"},
            "'server.ssl_certfile' HERE/text.txt: it is not a PEM certificate",
        ),
        ({"ssl_certfile": "HERE/der.crt"}, "HERE/der.crt: it is not a PEM certificate; if it is"),
        ({"ssl_certfile": "HERE/key.pem"}, "it holds a private key and no certificate"),
        ({"ssl_certfile": "HERE/damaged.pem"}, "'server.ssl_certfile' HERE/damaged.pem with the"),
        ({"ssl_certfile": "HERE"}, "HERE is a directory; give a file"),
        (
            {"ssl_keyfile": "HERE/other/key.pem"},
            "'server.ssl_keyfile' HERE/other/key.pem: the key is that of another certificate",
        ),
        ({"ssl_keyfile": "HERE/text.txt"}, "HERE/text.txt: it has no private key"),
        (
            {"ssl_keyfile": "HERE/certificate.pem"},
            "HERE/certificate.pem: it holds a certificate and no private key",
        ),
        (
            {"ssl_keyfile": "HERE/encrypted.pem"},
            "the key is encrypted; decrypt it: openssl pkey -in HERE/encrypted.pem",
        ),
    ],
)
def test_a_certificate_that_cannot_be_used(
    tmp_path: Path, changed: dict[str, str | None], says: str
) -> None:
    certificate, key = self_signed(tmp_path)
    (tmp_path / "other").mkdir()
    self_signed(tmp_path / "other")
    (tmp_path / "text.txt").write_text("a certificate\n")
    (tmp_path / "damaged.pem").write_text(certificate.read_text().replace("MII", "AAA"))
    (tmp_path / "der.crt").write_bytes(ssl.PEM_cert_to_DER_cert(certificate.read_text()))
    encrypt = ("pkey", "-aes256", "-passout", "pass:x", "-in", str(key))
    subprocess.run(
        [program("openssl", "openssl"), *encrypt, "-out", str(tmp_path / "encrypted.pem")],
        check=True,
        capture_output=True,
    )
    here = str(tmp_path)
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)} | {
        name: path and path.replace("HERE", here) for name, path in changed.items()
    }
    with pytest.raises(BadCertificate) as refusal:
        check_certificate(ServerConfig(**files))  # type: ignore[arg-type]
    assert says.replace("HERE", here) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_server_does_not_start_with_such_a_certificate(launch: Launch, tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path)
    files = {"ssl_certfile": str(certificate)}
    server = launch({"model": {"type": "standin"}, "server": files}, ready=False)
    assert server.process.wait(TIMEOUT_S) == 2
    assert server.log() == (
        f"streamer: cannot use 'server.ssl_certfile' {certificate}: the file has no private key: "
        "set 'server.ssl_keyfile'\n"
    )


@pytest.mark.parametrize(
    ("names", "host", "shown"),
    [
        ("DNS:localhost", "127.0.0.1", "localhost"),
        ("DNS:localhost", "0.0.0.0", "localhost"),
        ("DNS:speech.example.com,DNS:localhost", "127.0.0.1", "localhost"),
        ("DNS:speech.example.com", "0.0.0.0", "speech.example.com"),
        ("DNS:*.example.com,DNS:example.com", "0.0.0.0", "example.com"),
        ("DNS:*.example.com", "speech.example.com", "speech.example.com"),
        ("DNS:localhost,IP:127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("IP:::1,IP:10.0.0.1", "::1", "[::1]"),
        ("IP:::1", "127.0.0.1", "[::1]"),
        ("URI:spiffe://example.com/a", "127.0.0.1", "127.0.0.1"),
        (f"{','.join(f'DNS:a{n}.example.com' for n in range(99))},IP:127.0.0.1", "", "127.0.0.1"),
        ("critical,DNS:localhost", "127.0.0.1", "localhost"),
    ],
)
def test_the_address_that_is_shown_is_one_of_the_certificate(
    tmp_path: Path, names: str, host: str, shown: str
) -> None:
    certificate, _ = self_signed(tmp_path, names)
    server = ServerConfig(ssl_certfile=str(certificate))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        url = shown_url(server, host, Listeners([listener], []))
    assert url == f"https://{shown}:{port}"


async def test_a_client_that_does_not_trust_the_server(launch: Launch, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "DNS:localhost")
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    port = launch({"model": {"type": "standin"}, "server": files}).port

    without = {name: text for name, text in os.environ.items() if name != "SSL_CERT_FILE"}

    async def refused(host: str, **environment: str) -> str:
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streamer_client", "-i", "-"),
            *("-a", f"wss://{host}:{port}/api/v1/simple"),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=without | environment,
        )
        _, err = await command.communicate(silence(1).data)
        assert command.returncode == 3
        line = err.decode()
        assert line.count("\n") == 1
        assert "make run" not in line
        return line

    own = await refused("localhost")
    assert "is not trusted: self-signed certificate" in own
    assert own.endswith("SSL_CERT_FILE=certificate.pem (docs/deployment.md#tls)\n")
    (tmp_path / "other").mkdir()
    other, _ = self_signed(tmp_path / "other")
    untrusted = await refused("localhost", SSL_CERT_FILE=str(other))
    assert untrusted.endswith(f"(docs/deployment.md#tls); now it is {other}\n")
    untrusted = await refused("localhost", SSL_CERT_FILE="nowhere.pem")
    assert "now it is nowhere.pem, and there is no such file" in untrusted
    named = await refused("127.0.0.1", SSL_CERT_FILE=str(certificate))
    assert "is for another name: IP address mismatch" in named
    assert "use a name in the address that the certificate has" in named


def test_plain_http_to_a_port_with_tls_is_in_the_log(secured: tuple[Server, Path]) -> None:
    server, _ = secured
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        says = "a client speaks plain HTTP (http:// or ws://) to a port with TLS"
        wait_until(lambda: says in server.log(), says)


def test_tls_to_a_port_without_it_is_in_the_log(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    address = ("127.0.0.1", server.port)
    with pytest.raises(ssl.SSLError), socket.create_connection(address, TIMEOUT_S) as plain:
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    says = "a client at 127.0.0.1 speaks TLS (https:// or wss://) to a port without TLS"
    wait_until(lambda: says in server.log(), says)
    assert "set server.ssl_certfile" in server.log()
    assert "Invalid HTTP request" not in server.log()
    assert server.get("/api/v1/health").status == 200
