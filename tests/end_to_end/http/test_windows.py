"""`POST /analyze_pcm_s16le`: bounded windows, scored once."""

import pytest

from tests.end_to_end.conftest import Launch
from tests.end_to_end.http.posting import post, refused, wav
from tools.harness.process import Reply, Server
from tools.harness.sounds import recording, silence

PATH = "/analyze_pcm_s16le"
OCTETS = "application/octet-stream"


def score(
    server: Server, body: bytes, media_type: str | None = OCTETS, model: str | None = None
) -> Reply:
    path = PATH if model is None else f"{PATH}?model={model}"
    return post(server, path, body, media_type)


@pytest.mark.parametrize("seconds", [0.25, 1, 60.5, 600])
def test_a_window_is_scored_as_a_whole(standin: Server, seconds: float) -> None:
    reply = score(standin, silence(seconds).data)
    assert reply.status == 200
    answer = reply.json()
    assert answer["ok"] is True
    assert answer["model"] == "standin"
    assert answer["sample_rate"] == 16_000
    assert answer["duration_seconds"] == seconds
    assert answer["count"] == seconds * 16_000
    assert 0 <= answer["inference_ms"] <= answer["total_ms"]


@pytest.mark.parametrize(
    ("size", "status", "code", "says"),
    [
        (0, 400, "bad_audio", "the recording holds no audio"),
        (7_998, 400, "too_short", "the window has 0.249938 s; allowed: at least 0.25 s"),
        (8_001, 400, "bad_audio", "ends within a frame; allowed: a multiple of 2"),
        (600 * 32_000 + 2, 413, "too_long", "allowed: limits.max_audio_seconds, 600"),
    ],
)
def test_no_window(standin: Server, size: int, status: int, code: str, says: str) -> None:
    assert says in refused(score(standin, bytes(size)), status, code)


@pytest.mark.parametrize("media_type", [None, "audio/wav", "application/json", "text/plain"])
def test_only_octets(standin: Server, media_type: str | None) -> None:
    reply = score(standin, bytes(16_000), media_type)
    message = refused(reply, 415, "unsupported_media_type")
    assert message.endswith("; allowed: application/octet-stream")


def test_a_file_is_not_raw_pcm(standin: Server) -> None:
    reply = score(standin, wav(*recording("beckett.wav")))
    assert refused(reply, 400, "bad_audio") == "the body is a WAV file; allowed here: raw PCM"


def test_the_model_is_resampled_for(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"sample_rate": 8_000}}})
    answer = score(server, silence(2).data).json()
    assert answer["count"] == 16_000
    assert answer["sample_rate"] == 16_000
    assert answer["duration_seconds"] == 2


def test_a_model_that_fails(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1}}})
    message = refused(score(server, silence(1).data), 500, "inference_failed")
    assert "from 0 s to 1 s" in message
    assert "told to fail" in message


def test_one_of_several_models(launch: Launch) -> None:
    models = [{"type": "standin", "name": "a"}, {"type": "standin", "name": "b"}]
    server = launch({"models": models})
    assert score(server, silence(1).data).json()["model"] == "a"
    assert score(server, silence(1).data, model="b").json()["model"] == "b"
    message = refused(score(server, b"", model="c"), 404, "unknown_model")
    assert message == "'model' is \"c\"; allowed: a, b"
