"""Every error below `/v1/` has the shape of OpenAI's, also one of the gate or the router."""

import http.client
import json
from collections.abc import Generator
from typing import Any

import openai
import pytest
from openai import OpenAI
from starlette.types import Message

from streamer.access.tokens import Access
from streamer.app import create_app
from streamer.config.schema import Config
from streamer.observe.monitor import Monitor
from streamer.observe.tracer import Tracer
from streamer.telemetry.setup import Telemetry
from tests.end_to_end.conftest import Launch, _for_the_session
from tools.harness.process import TIMEOUT_S, Server

PAGE = "https://pages.example"
FOREIGN = "https://foreign.example"
TOKEN = "correct-horse"
FORM = "multipart/form-data; boundary=x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    config = {
        "model": {"type": "standin"},
        "access": {"tokens": [TOKEN], "origins": [PAGE]},
        "limits": {"max_upload_bytes": 100_000},
    }
    yield from _for_the_session(tmp_path_factory.mktemp("guarded"), config)


def ask(
    server: Server, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, given)
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read() or b"null")
    finally:
        connection.close()


def check(answer: Any, says: str) -> None:
    assert answer.keys() == {"error"}
    error = answer["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] in ("invalid_request_error", "server_error")
    assert says in error["message"]


BEARER = f"Bearer {TOKEN}"
TRANSCRIPTIONS = "/v1/audio/transcriptions"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "says"),
    [
        ("GET", "/v1", b"", {"authorization": BEARER}, 404, "there is nothing at"),
        ("GET", "/v1/", b"", {"authorization": BEARER}, 404, "there is nothing at"),
        ("GET", "/v1/nothing", b"", {"authorization": BEARER}, 404, "there is nothing at"),
        ("POST", "/v1/chat/completions", b"{}", {"authorization": BEARER}, 404, "there is nothing"),
        ("POST", "/v1/audio/speech", b"{}", {"authorization": BEARER}, 404, "there is nothing at"),
        ("GET", "//v1/models", b"", {"authorization": BEARER}, 404, "there is nothing at"),
        ("POST", f"/{TRANSCRIPTIONS}", b"x", {"authorization": BEARER}, 404, "there is nothing at"),
        ("POST", f"/{TRANSCRIPTIONS}", b"x", {}, 401, "a token is needed"),
        ("POST", f"/v1{TRANSCRIPTIONS}", b"x", {"authorization": BEARER}, 404, "there is nothing"),
        ("GET", "/api/v1/v1/models", b"", {"authorization": BEARER}, 404, "there is nothing at"),
        ("GET", "/openai/v1/models", b"", {"authorization": BEARER}, 404, "there is nothing at"),
        ("GET", "/openai/v1", b"", {"authorization": BEARER}, 404, "there is nothing at"),
        ("GET", f"{TRANSCRIPTIONS}/", b"", {"authorization": BEARER}, 405, "allowed: POST"),
        ("GET", TRANSCRIPTIONS, b"", {"authorization": BEARER}, 405, "allowed: POST"),
        ("DELETE", "/v1/models", b"", {"authorization": BEARER}, 405, "does not take DELETE"),
        ("OPTIONS", "/v1/models", b"", {"authorization": BEARER}, 405, "does not take OPTIONS"),
        ("GET", "/v1/models/x", b"", {"authorization": BEARER}, 404, "'model' is \"x\"; allowed"),
        ("GET", "/v1/models", b"", {}, 401, "a token is needed"),
        ("POST", TRANSCRIPTIONS, b"", {"authorization": "Bearer x"}, 401, "the token is not valid"),
        ("POST", "/v1/nothing", b"", {}, 401, "a token is needed"),
        ("GET", "/v1/models", b"", {"authorization": BEARER, "origin": FOREIGN}, 403, "Origin"),
        ("POST", TRANSCRIPTIONS, b"", {"authorization": BEARER, "origin": FOREIGN}, 403, "Origin"),
        ("POST", TRANSCRIPTIONS, b"{}", {"authorization": BEARER}, 400, "Content-Type is"),
        (
            "POST",
            TRANSCRIPTIONS,
            HEAD + b"no audio\r\n--x--\r\n",
            {"authorization": BEARER, "content_type": FORM},
            400,
            "is not an audio file",
        ),
        *(
            (
                "POST",
                path,
                HEAD + b"no audio\r\n--x--\r\n",
                {"authorization": BEARER, "content_type": FORM},
                400,
                says,
            )
            for path, says in (
                (f"{TRANSCRIPTIONS}/", "is not an audio file"),
                ("/v1/audio/translations/", "the model standin does not translate"),
            )
        ),
        (
            "POST",
            TRANSCRIPTIONS,
            HEAD + bytes(200_000),
            {"authorization": BEARER, "content_type": FORM},
            413,
            "allowed: limits.max_upload_bytes, 100000",
        ),
        (
            "OPTIONS",
            TRANSCRIPTIONS,
            b"",
            {"origin": FOREIGN, "access_control_request_method": "POST"},
            403,
            "Disallowed CORS origin; see access.origins",
        ),
        (
            "OPTIONS",
            TRANSCRIPTIONS,
            b"",
            {"origin": PAGE, "access_control_request_method": "PATCH"},
            403,
            "Disallowed CORS method",
        ),
    ],
)
def test_every_error_has_the_shape(
    guarded: Server,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    says: str,
) -> None:
    answered, sent, answer = ask(guarded, method, path, body, **headers)
    assert answered == status, answer
    check(answer, says)
    if status == 401:
        assert sent["WWW-Authenticate"] == "Bearer"
    if status == 405:
        assert sent["Allow"]


def test_elsewhere_errors_have_the_servers_own_shape(guarded: Server) -> None:
    for method, path in (("GET", "/v1x"), ("GET", "/api/v1/nothing"), ("POST", "/health")):
        _, _, answer = ask(guarded, method, path, authorization=BEARER)
        assert answer["ok"] is False
        assert answer["error"].keys() == {"code", "message"}


def test_while_the_model_loads(launch: Launch) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 2}}
    server = launch({"model": model}, ready=False)
    body = HEAD + b"sound\r\n--x--\r\n"
    status, headers, answer = ask(server, "POST", TRANSCRIPTIONS, body, content_type=FORM)
    assert (status, answer["error"]["type"]) == (503, "server_error")
    assert int(headers["Retry-After"]) >= 1
    check(answer, "is loading")
    server.wait_ready()


async def test_a_defect_is_answered_in_the_shape_of_its_address() -> None:
    """The application without its life: whatever it does with a model is a defect."""
    app = create_app(
        Config(),
        Access((), lambda: 0.0),
        [],
        lambda: pytest.fail("no stream is opened"),
        Telemetry(Monitor(), Tracer(), None),
        on_ready=lambda _: None,
        on_broken=lambda _: None,
    )

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def body_of(path: str) -> Any:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [],
            "client": None,
            "server": ("127.0.0.1", 1),
            "scheme": "http",
            "http_version": "1.1",
        }
        with pytest.raises(AttributeError):  # the server logs it
            await app(scope, receive, send)
        assert sent[0]["status"] == 500
        return json.loads(sent[1]["body"])

    check(await body_of("/v1/models"), "internal error")
    assert (await body_of("/api/v1/info"))["ok"] is False


def test_openais_client_raises_what_it_has_for_each(guarded: Server) -> None:
    def client(key: str) -> OpenAI:
        http = openai.DefaultHttpxClient(trust_env=False, timeout=TIMEOUT_S)
        base_url = f"http://127.0.0.1:{guarded.port}/v1"
        return OpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=http)

    with client("wrong") as stranger, pytest.raises(openai.AuthenticationError) as caught:
        stranger.models.list()
    assert caught.value.code == "unauthorized"
    with client(TOKEN) as known:
        with pytest.raises(openai.NotFoundError, match="there is nothing at") as missing:
            known.embeddings.create(model="x", input="x")
        assert missing.value.type == "invalid_request_error"
        with pytest.raises(openai.APIStatusError) as large:
            known.audio.transcriptions.create(model="whisper-1", file=("a", bytes(200_000)))
        assert (large.value.status_code, large.value.code) == (413, "too_large")


# --- Web pages of other origins ---

OPENAI_HEADERS = (
    "accept,authorization,content-type,openai-organization,openai-project,x-stainless-arch,"
    "x-stainless-lang,x-stainless-os,x-stainless-package-version,x-stainless-retry-count,"
    "x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout,"
    "x-stainless-helper-method,idempotency-key,x-requested-with,traceparent"
)
"""What the `openai` package sends from a browser, and what other packages add."""


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, "/v1/models", "/api/v1/analyze"])
def test_an_allowed_page_may_send_the_headers_of_the_openai_package(
    guarded: Server, path: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=TIMEOUT_S)
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": OPENAI_HEADERS,
        "Access-Control-Request-Private-Network": "true",
    }
    connection.request("OPTIONS", path, headers=asked)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert {name.strip() for name in allowed.split(",")} >= set(OPENAI_HEADERS.split(","))
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Private-Network"] == "true"
    assert "Access-Control-Allow-Credentials" not in response.headers
    connection.close()


def test_a_foreign_page_gets_no_permission(guarded: Server) -> None:
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "x-a"}
    status, headers, _ = ask(guarded, "OPTIONS", TRANSCRIPTIONS, None, origin=FOREIGN, **asked)
    assert status == 403
    assert "Access-Control-Allow-Origin" not in headers
    assert "Access-Control-Allow-Headers" not in headers
    assert "Origin" in headers["Vary"]


def test_an_allowed_page_can_read_answers_and_errors(guarded: Server) -> None:
    for headers, status in (({"authorization": BEARER}, 200), ({}, 401)):
        answered, sent, _ = ask(guarded, "GET", "/v1/models", None, origin=PAGE, **headers)
        assert answered == status
        assert sent["Access-Control-Allow-Origin"] == PAGE
        assert "Retry-After" in sent["Access-Control-Expose-Headers"]
