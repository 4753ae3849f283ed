"""TLS for tests: a certificate that only they trust."""

import ssl
import subprocess
from pathlib import Path

from tests.needed import program


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for `localhost` and its key; skips the test without OpenSSL."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-days", "1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def trusting(certificate: Path) -> ssl.SSLContext:
    """What a client needs that trusts this certificate, and no other."""
    return ssl.create_default_context(cafile=certificate)
