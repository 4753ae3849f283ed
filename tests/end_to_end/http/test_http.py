"""What is served beside the sockets."""

import asyncio
import contextlib
import http.client
import json

import pytest

import streamer
from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.streams import client


@pytest.mark.parametrize("path", ["/api/v1/health", "/health"])
def test_health(standin: Server, path: str) -> None:
    reply = standin.get(path)
    assert reply.status == 200
    assert reply.json() == {"status": "healthy"}


@pytest.mark.parametrize("path", ["/api/v1/ready", "/ready"])
def test_ready(standin: Server, path: str) -> None:
    reply = standin.get(path)
    assert reply.status == 200
    assert reply.json()["status"] == "ready"
    assert reply.json()["workers"] == len(standin.workers())


def test_info(standin: Server) -> None:
    info = standin.get("/api/v1/info").json()
    assert info["version"] == streamer.__version__
    assert info["protocol"] == 1
    assert info["model"] == "standin"
    assert info["sample_rate"] == 16_000
    assert info["simple"] == {"chunk_seconds": 0.25}
    assert info["vad"]["engine"] == "silero"
    assert info["limits"]["max_channels"] == 8


def test_an_unknown_address_is_not_found(standin: Server) -> None:
    reply = standin.get("/api/v1/nothing")
    message = 'there is nothing at "/api/v1/nothing"; see /openapi.json'
    assert reply.status == 404
    assert reply.json() == {"ok": False, "error": {"code": "not_found", "message": message}}


def test_a_slash_at_the_end_of_an_address_does_not_matter(standin: Server) -> None:
    for path in ("/health", "/api/v1/ready", "/v1/models", "/v1/models/standin"):
        assert standin.get(f"{path}/").json() == standin.get(path).json()
    connection = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request("POST", "/api/v1/analyze/", body=b"no audio")
        reply = connection.getresponse()
        assert (reply.status, json.loads(reply.read())["error"]["code"]) == (
            415,
            "unsupported_media_type",
        )


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/api/v1/segmented", "/api/v1/simple"])
def test_a_request_to_a_socket_is_told_what_it_is(standin: Server, path: str, method: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request(method, path, body=b"audio" if method == "POST" else None)
        reply = connection.getresponse()
        error = json.loads(reply.read())["error"]
    assert (reply.status, reply.headers["Upgrade"]) == (426, "websocket")
    assert error["code"] == "upgrade_required"
    assert error["message"].startswith(f"{path} is a WebSocket")


async def test_not_ready_while_the_model_loads_and_a_stream_waits_for_it(launch: Launch) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 2}}
    server = launch({"model": model}, ready=False)
    reply = await asyncio.to_thread(server.get, "/api/v1/ready")
    assert reply.status == 503
    assert reply.json()["reason"] == "the model is loading"
    assert int(reply.headers["retry-after"]) >= 1
    assert (await asyncio.to_thread(server.get, "/health")).status == 200
    async with client(server) as socket:
        await socket.start()
        assert (await socket.next_event())["type"] == "started"
        assert (await asyncio.to_thread(server.get, "/api/v1/ready")).status == 200


def test_not_ready_when_no_worker_lives(launch: Launch) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 1}}
    server = launch({"model": model, "inference": {"workers": 1}})
    (worker,) = server.workers()
    worker.kill()
    wait_until(lambda: server.get("/ready").status == 503, "the server is not ready")
    wait_until(lambda: server.get("/ready").status == 200, "the worker is replaced")
