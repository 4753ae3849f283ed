"""`POST /v1/listen` and `POST /v1/auth/grant`, as programs for Deepgram know them."""

import json
from collections.abc import Generator

import numpy as np
import pytest

from tests.end_to_end.conftest import Launch, _for_the_session
from tests.end_to_end.http.posting import post, wav
from tools.harness.process import Reply, Server
from tools.harness.sounds import beckett, recording

LISTEN, GRANT = "/v1/listen", "/v1/auth/grant"
TOKEN = "correct-horse"
SENTENCES = 6


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server with a token."""
    config = {"model": {"type": "standin"}, "access": {"tokens": [TOKEN]}}
    yield from _for_the_session(tmp_path_factory.mktemp("guarded"), config)


def stereo() -> bytes:
    samples, rate = recording("beckett.wav")
    return wav(np.stack([samples, np.zeros_like(samples)], axis=1), rate)


def test_utterances_are_segments_and_channels_may_be_apart(transcriber: Server) -> None:
    body = post(
        transcriber, LISTEN, stereo(), multichannel="true", utterances="true", punctuate="true"
    ).json()
    spoken, silent = (each["alternatives"][0] for each in body["results"]["channels"])
    utterances = body["results"]["utterances"]
    assert len(utterances) == SENTENCES
    assert {each["channel"] for each in utterances} == {0}
    assert " ".join(each["transcript"] for each in utterances) == spoken["transcript"]
    assert [word for each in utterances for word in each["words"]] == spoken["words"]
    assert (silent["transcript"], silent["words"], silent["confidence"]) == ("", [], 0.0)
    assert body["metadata"]["channels"] == 2
    mixed = post(transcriber, LISTEN, stereo()).json()
    assert mixed["metadata"]["channels"] == 1
    assert "utterances" not in mixed["results"]


def test_raw_audio_is_what_the_query_says(standin: Server) -> None:
    data = beckett().data
    raw = post(standin, LISTEN, data, encoding="linear16", sample_rate="16000").json()
    assert raw["metadata"]["duration"] == round(beckett().seconds, 3)
    half = post(standin, LISTEN, data, encoding="linear16", sample_rate="32000").json()
    assert half["metadata"]["duration"] == pytest.approx(beckett().seconds / 2, abs=0.001)


def refused(reply: Reply, status: int) -> str:
    """The message; each refusal has the headers that Deepgram's have."""
    body = reply.json()
    assert reply.status == status
    assert {*body} == {"err_code", "err_msg", "request_id"}
    assert reply.headers["dg-request-id"] == body["request_id"]
    assert reply.headers["dg-error"] == body["err_msg"]
    message: str = body["err_msg"]
    return message


def test_what_is_refused(standin: Server) -> None:
    address = json.dumps({"url": "https://example.com/talk.wav"}).encode()
    assert "addresses" in refused(post(standin, LISTEN, address, "application/json"), 400)
    body = wav(np.zeros(1_600))
    reply = post(standin, LISTEN, body, callback="https://example.com")
    assert "'callback' is given" in refused(reply, 400)
    raw = post(standin, LISTEN, beckett().data, encoding="speex")
    assert "'encoding' is \"speex\"" in refused(raw, 400)


def test_a_language_that_the_model_does_not_have(transcriber: Server) -> None:
    reply = post(transcriber, LISTEN, wav(np.zeros(1_600)), language="fr")
    assert "'language' is \"fr\"; allowed with the model" in refused(reply, 400)


def test_without_a_valid_key(guarded: Server) -> None:
    for headers in ({}, {"Authorization": "Token wrong"}):
        refused(post(guarded, LISTEN, wav(np.zeros(1_600)), headers=headers), 401)
        refused(post(guarded, GRANT, b"{}", "application/json", headers), 401)


def test_a_full_server(launch: Launch) -> None:
    config = {"model": {"type": "standin"}, "limits": {"max_concurrent_requests": 1}}
    server = launch(config)

    def slow() -> Generator[bytes]:
        """While the body is still coming, there is no room for another."""
        yield wav(np.zeros(16_000))
        reply = post(server, LISTEN, wav(np.zeros(1_600)))
        assert int(reply.headers["retry-after"]) > 0
        refused(reply, 503)

    assert post(server, LISTEN, slow()).status == 200


def grant(server: Server, body: bytes, key: str = TOKEN) -> Reply:
    return post(server, GRANT, body, "application/json", {"Authorization": f"Token {key}"})


def test_a_token_for_a_browser(guarded: Server) -> None:
    assert grant(guarded, b"").json()["expires_in"] == 30
    reply = grant(guarded, b'{"ttl_seconds": 60}')
    assert reply.headers["cache-control"] == "no-store"
    token = reply.json()["access_token"]
    assert reply.json()["expires_in"] == 60
    for _ in range(2):  # clients connect again with the same one
        shown = {"Authorization": f"Bearer {token}"}
        assert post(guarded, LISTEN, wav(np.zeros(1_600)), headers=shown).status == 200
    refused(grant(guarded, b"{}", token), 401)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"ttl_seconds": 0}', 400),
        (b'{"ttl_seconds": 3601}', 400),
        (b'{"ttl_seconds": "soon"}', 400),
        (b"nonsense", 400),
        (b" " * 5_000, 413),
    ],
)
def test_a_request_for_a_token_that_cannot_be(guarded: Server, body: bytes, status: int) -> None:
    refused(grant(guarded, body), status)
