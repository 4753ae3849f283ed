"""`GET /openapi.json`: what it says of the server is true, as schemathesis finds."""

import io
from typing import Any

import numpy as np
import schemathesis
import soundfile
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from streamer.http.openapi import describe
from streamer.http.operations import OPERATIONS
from tests.recordings.makers import encoded, sound
from tools.harness.process import TIMEOUT_S, Server


def _sound(container: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(8_000), 16_000, format=container)
    return file.getvalue()


# Half of the bodies are what they are said to be, half are anything.
for name, container in (
    ("audio/wav", "WAV"),
    ("audio/flac", "FLAC"),
    ("audio/ogg", "OGG"),
    ("audio/mpeg", "MP3"),
    ("audio/aiff", "AIFF"),
):
    schemathesis.openapi.media_type(name, st.just(_sound(container)) | st.binary())
for name, container, codec, rate in (
    ("audio/mp4", "ipod", "aac", 16_000),
    ("audio/webm", "webm", "libopus", 48_000),
    ("audio/aac", "adts", "aac", 16_000),
    ("audio/amr", "amr", "libopencore_amrnb", 8_000),
    ("audio/x-caf", "caf", "pcm_s16be", 16_000),
    ("audio/basic", "au", "pcm_s16be", 16_000),
    ("audio/x-ms-wma", "asf", "wmav2", 44_100),
    ("audio/ac3", "ac3", "ac3", 48_000),
    ("audio/eac3", "eac3", "eac3", 48_000),
):
    recorded = encoded(sound(0.5, rate), rate, container, codec, bit_rate=64_000)
    schemathesis.openapi.media_type(name, st.just(recorded) | st.binary())
schemathesis.openapi.media_type(
    "application/octet-stream", st.just(bytes(32_000)) | st.just(_sound("WAV")) | st.binary()
)


schema = schemathesis.openapi.from_dict(describe(OPERATIONS))


def test_the_description_is_served(standin: Server) -> None:
    served = standin.get("/openapi.json").json()
    assert served == {**describe(OPERATIONS), "servers": [{"url": "/"}]}


def test_addresses_are_described_without_what_only_the_router_knows() -> None:
    described = describe(OPERATIONS)
    (model,) = described["paths"]["/v1/models/{model}"]["get"]["parameters"]
    assert (model["name"], model["in"]) == ("model", "path")
    assert not [path for path in described["paths"] if ":" in path]


def test_a_query_without_which_a_request_is_refused_is_described_as_needed() -> None:
    described = describe(OPERATIONS)
    (seconds,) = described["paths"]["/v3/token"]["get"]["parameters"]
    assert (seconds["name"], seconds["required"]) == ("expires_in_seconds", True)
    (*others,) = described["paths"]["/api/v1/analyze"]["post"]["parameters"]
    assert not any(parameter["required"] for parameter in others)


def test_scores_are_described_as_what_is_perceived() -> None:
    described = describe(OPERATIONS)
    score = described["components"]["schemas"]["Score"]["description"]
    found = described["components"]["schemas"]["Analysis"]["properties"]["segments"]["items"]
    for text in (score, found["description"]):
        assert "what listeners would perceive" in text
        assert "not facts" in text


@schema.parametrize()
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_schemathesis_finds_no_violation(standin: Server, case: schemathesis.Case[Any]) -> None:
    # Which bytes are audio is beyond a schema.
    excluded: list[Any] = [positive_data_acceptance] if case.operation.body else []
    address = f"http://127.0.0.1:{standin.port}"
    case.call_and_validate(address, excluded_checks=excluded, timeout=TIMEOUT_S)
