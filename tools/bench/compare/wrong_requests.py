"""Wrong HTTP requests, and those without a recording."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request.

    Attributes:
        method: Its first word.
        path: With the query.
        body: Sent with its length; None = no body.
        headers: Besides those of the client library.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def requests(speech: bytes) -> dict[str, HttpRequest]:
    """Wrong requests, and those without a recording.

    Args:
        speech: A good WAV file.
    """
    analyze, window = "/api/v1/analyze", "/analyze_pcm_s16le"
    octets = {"Content-Type": "application/octet-stream"}
    gets = (
        "/api/v1/health",
        "/health",
        "/api/v1/ready",
        "/ready",
        "/openapi.json",
        "/v1/models",
        "/v1/models/moonshine-tiny-en",
        "/v1/models/whisper-1",
        "/v1/models/a%2Fb%0A",
        "/nowhere",
        "/api/v1/nowhere?a=b",
        "/api/v1/segmented",
        "/api/v1/simple",
        "/api/v1/analyze",
        "/v1/audio/transcriptions",
        "/%ff%00",
    )
    found = {f"GET {path}": HttpRequest("GET", path) for path in gets}
    found |= {f"HEAD {path}": HttpRequest("HEAD", path) for path in gets}
    found |= {f"POST {path}": HttpRequest("POST", path, b"") for path in gets}
    queries = (
        "format=xml",
        "format=srt&format=vtt",
        "channels=left",
        "vad=maybe",
        "model=gpt",
        "threshold=2",
        "threshold=nan",
        "min_silence_ms=1.5",
        "max_segment_ms=1000&prefix_padding_ms=2000",
        "sample_rate=16000",
        "sample_rate=7999",
        "channel_count=2",
        "sample_rate=16000&channel_count=9",
        "sample_rate=16000&bit_depth=12",
        "sample_rate=16000&encoding=mulaw",
        "colour=red",
    )
    found |= {f"?{query}": HttpRequest("POST", f"{analyze}?{query}", speech) for query in queries}
    bodies = {
        "nothing": b"",
        "a line break": b"\n",
        "a page": b"<html></html>",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "no WAVE": b"RIFF\x10\0\0\0AVI LIST",
        "a WAV of nothing": b"RIFF\x10\0\0\0WAVEfmt ",
        "a damaged FLAC": b"fLaC" + bytes(1_000),
        "a damaged OGG": b"OggS" + bytes(1_000),
        "a damaged MP3": b"\xff\xfb" + bytes(1_000),
        "half a WAV": speech[: len(speech) // 2],
        "the head of a WAV": speech[:44],
    }
    found |= {f"body: {name}": HttpRequest("POST", analyze, body) for name, body in bodies.items()}
    labels = ("audio/flac", "application/json", "multipart/form-data", "audio/wav", "a", "")
    for label in labels:
        headers = {"Content-Type": label}
        found[f"Content-Type {label!r}"] = HttpRequest("POST", analyze, speech, headers)
    raw = {"odd": bytes(1_001), "short": bytes(7_998), "shortest": bytes(8_000)}
    found |= {f"window: {n}": HttpRequest("POST", window, body, octets) for n, body in raw.items()}
    found["window without a type"] = HttpRequest("POST", window, bytes(8_000))
    found["window of text"] = HttpRequest(
        "POST", window, bytes(8_000), {"Content-Type": "text/plain"}
    )
    found["window: unknown model"] = HttpRequest("POST", f"{window}?model=x", bytes(8_000), octets)
    found["window: unknown field"] = HttpRequest("POST", f"{window}?a=x", bytes(8_000), octets)
    found["a foreign origin"] = HttpRequest(
        "POST", analyze, speech, {"Origin": "https://a.example"}
    )
    found["ticket without tokens"] = HttpRequest("POST", "/api/v1/ticket", b"")
    return found


FORMS: Mapping[str, Mapping[str, str]] = {
    "no model": {},
    "unknown model": {"model": "gpt"},
    "unknown format": {"model": "whisper-1", "response_format": "xml"},
    "unknown field": {"model": "whisper-1", "colour": "red"},
    "times of words": {"model": "whisper-1", "timestamp_granularities[]": "word"},
    "another language": {"model": "whisper-1", "language": "de"},
    "a temperature of text": {"model": "whisper-1", "temperature": "hot"},
    "text": {"model": "whisper-1", "response_format": "text"},
    "vtt": {"model": "whisper-1", "response_format": "vtt"},
    "srt": {"model": "whisper-1", "response_format": "srt", "prompt": "a", "temperature": "0"},
    "stream": {"model": "whisper-1", "stream": "true"},
    "stream with times": {"model": "whisper-1", "stream": "true", "response_format": "srt"},
}
"""Fields of OpenAI's form, each sent with a good recording."""
