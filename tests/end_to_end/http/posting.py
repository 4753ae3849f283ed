"""Requests with recordings, and the recordings in every kind of file."""

import http.client
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import psutil
import soundfile

from tools.harness.process import TIMEOUT_S, Reply, Server
from tools.harness.sounds import Float64Samples


class Kind(NamedTuple):
    """A kind of file: libsndfile's names, and the media type."""

    container: str
    subtype: str
    media_type: str
    lossy: bool = False

    def __str__(self) -> str:
        return f"{self.container}-{self.subtype}"


KINDS = (
    Kind("WAV", "PCM_16", "audio/wav"),
    Kind("WAV", "FLOAT", "audio/x-wav"),
    Kind("WAVEX", "PCM_24", "audio/wave"),
    Kind("RF64", "PCM_32", "audio/wav"),
    Kind("WAV", "ULAW", "audio/wav", lossy=True),
    Kind("FLAC", "PCM_16", "audio/flac"),
    Kind("FLAC", "PCM_24", "audio/flac"),
    Kind("AIFF", "PCM_16", "audio/aiff"),
    Kind("OGG", "VORBIS", "audio/ogg", lossy=True),
    Kind("OGG", "OPUS", "audio/opus", lossy=True),
    Kind("MP3", "MPEG_LAYER_III", "audio/mpeg", lossy=True),
)


def encoded(samples: Float64Samples, sample_rate: int, kind: Kind) -> bytes:
    """A file with samples [frames] or [frames, channels]."""
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, kind.subtype, format=kind.container)
    return file.getvalue()


def wav(samples: Float64Samples, sample_rate: int = 16_000) -> bytes:
    """A 16-bit WAV file."""
    return encoded(samples, sample_rate, KINDS[0])


def post(
    server: Server,
    path: str,
    body: bytes | Iterable[bytes],
    media_type: str | None = None,
    headers: Mapping[str, str] | None = None,
    **query: object,
) -> Reply:
    """Post a body: bytes with a length, anything else in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    sent = dict(headers or {})
    if media_type is not None:
        sent["Content-Type"] = media_type
    try:
        connection.request(
            "POST", f"{path}?{urlencode(query, doseq=True)}" if query else path, body, sent
        )
        response = connection.getresponse()
        answer = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, answer, response.read().decode())
    finally:
        connection.close()


def analyze(server: Server, body: bytes | Iterable[bytes], **query: object) -> Reply:
    return post(server, "/api/v1/analyze", body, **query)  # type: ignore[arg-type]


def analyzed(server: Server, body: bytes, **query: object) -> Any:
    """What was found; there was nothing to refuse."""
    reply = analyze(server, body, **query)
    assert reply.status == 200, reply.text
    return reply.json()


def refused(reply: Reply, status: int, code: str) -> str:
    """Why a request was refused."""
    assert reply.status == status, reply.text
    answer = reply.json()
    assert answer["ok"] is False
    assert answer["error"]["code"] == code, answer
    message: str = answer["error"]["message"]
    return message


def temporary_files(server: Server) -> list[str]:
    """Files without a name that the server holds open."""
    process = psutil.Process(server.process.pid)
    links = []
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            links.append(str(entry.readlink()))
        except OSError:  # closed in the meantime
            continue
    return [link for link in links if link.endswith("(deleted)") and "/tmp" in link]
