"""The address that may be meant by one at which there is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.http.near_paths import near_path

SERVED = (
    "/api/v1/segmented",
    "/api/v1/simple",
    "/api/v1/analyze",
    "/api/v1/analyze/window",
    "/api/v1/info",
    "/api/v1/health",
    "/health",
    "/ready",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/models",
    "/v1/models/{model:name}",
    "/openapi.json",
    "/metrics",
)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/analyze", "/api/v1/analyze"),
        ("/analyze/", "/api/v1/analyze"),
        ("/api/analyze", "/api/v1/analyze"),
        ("/v1/analyze", "/api/v1/analyze"),
        ("/api/v1/Analyse", "/api/v1/analyze"),
        ("/API/V1/ANALYZE", "/api/v1/analyze"),
        ("/segmented", "/api/v1/segmented"),
        ("/v1/v1/audio/transcriptions", "/v1/audio/transcriptions"),
        ("/v1/audio/transcription", "/v1/audio/transcriptions"),
        ("/transcribe", "/v1/audio/transcriptions"),
        ("/v1/model", "/v1/models"),
        ("/healthz", "/health"),
        ("/api/v1/healthz", "/api/v1/health"),
        ("/metric", "/metrics"),
        ("/openapi", "/openapi.json"),
        ("/api/v1/nothing", None),
        ("/favicon.ico", None),
        ("/robots.txt", None),
        ("/wp-login.php", None),
        ("/", None),
        ("", None),
        ("/api/v1/", None),
        ("/analyze" * 1000, None),
    ],
)
def test_the_address_that_is_meant(path: str, near: str | None) -> None:
    assert near_path(path, SERVED) == near


@given(st.text(max_size=300))
def test_whatever_the_path_is_the_address_is_one_that_is_served(path: str) -> None:
    assert near_path(path, SERVED) in (None, *SERVED)
