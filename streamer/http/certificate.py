"""The certificate of `server.ssl_certfile`: what is wrong with it, and which names it has."""

import os
import re
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from streamer.config.file_problems import file_problem, near_file
from streamer.config.paths import exists
from streamer.config.ports import ServerConfig

_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.+?"
    rb"-----END (?:X509 |TRUSTED )?CERTIFICATE-----",
    re.DOTALL,
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED", re.MULTILINE)

_ALTERNATIVE_NAMES = b"\x06\x03\x55\x1d\x11"
"""DER of the object identifier 2.5.29.17, subjectAltName (RFC 5280, 4.2.1.6)."""
_CRITICAL = b"\x01\x01\xff"
"""DER of true, which may stand between the identifier and the value of an extension."""
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
"""Tags of two kinds of GeneralName, in the same section."""


class BadCertificate(Exception):
    """The certificate or its key cannot be used; the message is one line."""


def check_certificate(server: ServerConfig) -> None:
    """Find out what is wrong with the certificate or its key before anything is started.

    Raises:
        BadCertificate: TLS is configured and cannot be used.
    """
    certificate, key = server.ssl_certfile, server.ssl_keyfile
    if certificate is None:
        return
    content = _read("ssl_certfile", certificate)
    if problem := _problem_of_certificate(certificate, content):
        raise BadCertificate(f"cannot use 'server.ssl_certfile' {certificate}: {problem}")
    setting, key_file = ("ssl_keyfile", key) if key else ("ssl_certfile", certificate)
    key_content = _read("ssl_keyfile", key) if key else content
    if problem := _problem_of_key(key_file, key_content, own_file=key is not None):
        raise BadCertificate(f"cannot use 'server.{setting}' {key_file}: {problem}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate, key, password=lambda: b""
        )
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            where = f"'server.{setting}' {key_file}"
            whose = f"the key is that of another certificate than the first in {certificate}"
            raise BadCertificate(f"cannot use {where}: {whose}") from None
        both = f"'server.ssl_certfile' {certificate}" + (f" with the key {key}" if key else "")
        reason = error.reason or "a block between BEGIN and END is damaged"
        raise BadCertificate(f"cannot use {both}: {reason}") from None


def names_of(certificate: str) -> list[str]:
    """The host names and addresses for which a certificate is valid, in its order.

    Args:
        certificate: A PEM file; its first certificate counts.

    Returns:
        Nothing if it has no subjectAltName, or cannot be read.
    """
    try:
        found = _CERTIFICATE.search(Path(certificate).read_bytes())
        if found is None:
            return []
        body = re.sub(rb"-----[^-]+-----|\s", b"", found[0]).decode()
        der = ssl.PEM_cert_to_DER_cert(f"{ssl.PEM_HEADER}\n{body}\n{ssl.PEM_FOOTER}")
        return list(_alternative_names(der))
    except (OSError, ValueError, IndexError):
        return []


def _read(setting: str, path: str) -> bytes:
    if not os.access(path, os.R_OK):
        reason = "it may not be read" if exists(path) else _missing(Path(path))
        raise BadCertificate(f"cannot use 'server.{setting}' {path}: {reason}")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadCertificate(f"'server.{setting}': {file_problem(path, error)}") from None


def _missing(path: Path) -> str:
    """That there is no such file, seen from where, and the one that was probably meant."""
    seen_from = "" if path.is_absolute() else f" in {Path.cwd()}, where the server was started"
    near = near_file(path)
    return f"there is no such file{seen_from}" + (f"; did you mean {near}?" if near else "")


def _problem_of_certificate(path: str, content: bytes) -> str | None:
    if _CERTIFICATE.search(content):
        return None
    if _PRIVATE_KEY.search(content):
        return "it holds a private key and no certificate"
    if content[:1] == b"\x30":  # a SEQUENCE: the beginning of every certificate in DER
        return (
            "it is not a PEM certificate; if it is one in DER: "
            f"openssl x509 -inform der -in {path} -out certificate.pem"
        )
    return "it is not a PEM certificate: it has no line -----BEGIN CERTIFICATE-----"


def _problem_of_key(path: str, content: bytes, *, own_file: bool) -> str | None:
    if not _PRIVATE_KEY.search(content):
        if not own_file:
            return "the file has no private key: set 'server.ssl_keyfile'"
        what = "it holds a certificate and" if _CERTIFICATE.search(content) else "it has"
        return f"{what} no private key"
    if _ENCRYPTED.search(content):
        return f"the key is encrypted; decrypt it: openssl pkey -in {path} -out key.pem"
    return None


def _alternative_names(der: bytes) -> Iterator[str]:
    at = der.find(_ALTERNATIVE_NAMES)
    if at < 0:
        return
    at += len(_ALTERNATIVE_NAMES)
    if der[at : at + 3] == _CRITICAL:
        at += 3
    at, _ = _content(der, at)  # an OCTET STRING, which holds
    at, end = _content(der, at)  # a SEQUENCE of names
    while at < end:
        tag = der[at]
        begin, at = _content(der, at)
        if tag == _DNS_NAME:
            yield der[begin:at].decode("ascii")
        elif tag == _IP_ADDRESS:
            yield str(ip_address(der[begin:at]))


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at this place begins and ends (X.690, 8.1.3)."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + size]), begin + size
    return begin, begin + length
