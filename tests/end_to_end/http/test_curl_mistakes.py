"""Usual mistakes in commands of curl: the answer says what to write."""

import pytest

from tests.end_to_end.http.posting import post, refused, wav
from tools.harness.process import Server
from tools.harness.sounds import recording

SAMPLES, RATE = recording("beckett.wav")
FILE = wav(SAMPLES, RATE)
URL_ENCODED = "application/x-www-form-urlencoded"
FORM = "multipart/form-data; boundary=x"
BINARY = "with curl use --data-binary @FILE"


def as_d_sends(content: bytes) -> bytes:
    """What curl makes of `-d @FILE`."""
    return content.translate(None, b"\0\r\n")


@pytest.mark.parametrize("path", ["/api/v1/analyze", "/api/v1/analyze?sample_rate=16000"])
@pytest.mark.parametrize("body", [as_d_sends(FILE)[:9_999], as_d_sends(FILE)[:10_000], b"x.wav"])
def test_a_file_with_d(standin: Server, path: str, body: bytes) -> None:
    reply = post(standin, path, body, URL_ENCODED)
    message = reply.json()["error"]["message"]
    assert reply.status in (400, 415)
    assert message.endswith(f"; {BINARY}, not -d")


def test_a_file_with_d_at_the_address_of_deepgram(standin: Server) -> None:
    reply = post(standin, "/v1/listen", as_d_sends(FILE), URL_ENCODED)
    assert reply.status == 415
    assert reply.json()["err_msg"].endswith(f"; {BINARY}, not -d")


def test_short_samples_without_such_bytes_are_taken(standin: Server) -> None:
    path = "/api/v1/analyze?sample_rate=16000&vad=false"
    assert post(standin, path, b"\1\2" * 1_000, URL_ENCODED).status == 200


def test_a_file_with_data_binary_has_the_same_type_and_no_hint(standin: Server) -> None:
    assert post(standin, "/api/v1/analyze", FILE, URL_ENCODED).status == 200
    reply = post(standin, "/api/v1/analyze", b"no audio\r\n\0", URL_ENCODED)
    assert "curl" not in refused(reply, 415, "unsupported_media_type")


def test_a_form_where_the_file_is_the_body(standin: Server) -> None:
    reply = post(standin, "/api/v1/analyze", b"--x--\r\n", FORM)
    assert BINARY in refused(reply, 415, "unsupported_media_type")


def test_a_name_without_its_sign(standin: Server) -> None:
    def answer(disposition: str) -> str:
        head = f'--x\r\nContent-Disposition: form-data; name="file"{disposition}\r\n\r\n'
        body = f"{head}beckett.wav\r\n--x--\r\n".encode()
        reply = post(standin, "/v1/audio/transcriptions", body, FORM)
        assert reply.status == 400
        message = reply.json()["error"]["message"]
        assert isinstance(message, str)
        return message

    assert answer("").endswith("; with curl: -F file=@FILE")
    assert "curl" not in answer('; filename="beckett.txt"')


@pytest.mark.parametrize("given_type", [URL_ENCODED, "audio/wav", None])
def test_a_file_as_the_body_where_a_form_is_wanted(standin: Server, given_type: str | None) -> None:
    reply = post(standin, "/v1/audio/transcriptions", FILE, given_type)
    assert reply.status == 400
    assert reply.json()["error"]["message"].endswith(
        "; allowed: multipart/form-data; with curl: -F file=@FILE"
    )


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/analyze", "/api/v1/analyze"),
        ("/api/v1/analyse", "/api/v1/analyze"),
        ("/v1/audio/transcription", "/v1/audio/transcriptions"),
        ("/simple", "/api/v1/simple"),
    ],
)
def test_an_address_that_is_nearly_right(standin: Server, path: str, meant: str) -> None:
    reply = post(standin, path, b"", None)
    assert reply.status == 404
    assert reply.json()["error"]["message"] == (
        f'there is nothing at "{path}"; did you mean {meant}? See /openapi.json'
    )
