"""TLS for tests: a certificate that only they trust."""

import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.needed import program

RSA = ("-newkey", "rsa:2048")


def self_signed(
    folder: Path, names: str = "DNS:localhost,IP:127.0.0.1", key: Sequence[str] = RSA
) -> tuple[Path, Path]:
    """Make a certificate for these names and its key; skips the test without OpenSSL.

    Args:
        folder: For both files.
        names: As openssl has them.
        key: openssl's options for the key.
    """
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(program("openssl", "openssl"), "req", "-x509", *key, "-nodes"),
            *("-days", "1", "-subj", "/CN=localhost"),
            *("-addext", f"subjectAltName={names}"),
            *("-keyout", str(private), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, private


def trusting(certificate: Path) -> ssl.SSLContext:
    """What a client needs that trusts this certificate, and no other."""
    return ssl.create_default_context(cafile=certificate)
