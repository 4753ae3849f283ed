"""A WebSocket where there is none: 404, and the body that docs/http.md promises."""

import json
from collections.abc import Generator

import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.process import Server
from tools.harness.raw import open_connection, read_to_end, upgrade_request
from tools.harness.streams import client

WRONG = [
    "/",
    "/nothing",
    "/api/v1/segmente",
    "/api/v1/segmented/",
    "/api/v1/segmented/more",
    "/API/V1/SEGMENTED",
    "/api/v1/info",
    "/api/v1/analyze",
    "/v1/realtimes",
    "/metrics",
    "//api/v1/simple",
    "/%0d%0aforged",
    "/%f0%9f%8e%a4",
]


def answer(server: Server, path: str, **headers: str) -> tuple[str, str, dict[str, object]]:
    with open_connection(server) as raw:
        raw.sendall(upgrade_request(path, **headers))
        head, _, body = read_to_end(raw).decode().partition("\r\n\r\n")
    status, *lines = head.lower().split("\r\n")
    (kind,) = (line for line in lines if line.startswith("content-type: "))
    return status.split()[1], kind, json.loads(body)


def check(found: tuple[str, str, dict[str, object]], path: str) -> None:
    status, kind, body = found
    assert (status, kind) == ("404", "content-type: application/json")
    error = body["error"]
    assert isinstance(error, dict)
    assert body == {"ok": False, "error": {"code": "not_found", "message": error["message"]}}
    allowed = "allowed: /api/v1/segmented, /api/v1/simple"
    assert error["message"].startswith("there is no WebSocket at ")
    assert allowed in error["message"]
    assert error["message"].isprintable()
    if "%" not in path:
        assert f'"{path}"' in error["message"]


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_path(standin: Server, path: str) -> None:
    check(answer(standin, path), path)
    check(answer(standin, path, Authorization="Bearer nonsense"), path)


@pytest.mark.parametrize("path", WRONG)
def test_behind_a_proxy_with_a_prefix(prefixed: Server, path: str) -> None:
    status, _, body = answer(prefixed, path)
    assert status == "404"
    assert "/speech" in json.dumps(body)


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    config = {"model": {"type": "standin"}, "server": {"root_path": "/speech"}}
    server = Server(tmp_path_factory.mktemp("prefixed"), config)
    server.wait_ready()
    yield server
    server.stop()


async def test_also_when_there_is_no_room(launch: Launch) -> None:
    server = launch(
        {
            "model": {"type": "standin"},
            "limits": {"max_sessions": 1},
            "access": {"tokens": ["secret"]},
        }
    )
    async with client(server, authorization="Bearer secret"):
        assert answer(server, "/api/v1/simple")[0] == "503"
        check(answer(server, "/nothing"), "/nothing")


def test_a_page_that_may_not_connect_learns_nothing(standin: Server) -> None:
    status, _, body = answer(standin, "/nothing", Origin="https://evil.example")
    assert status == "403"
    assert "not_found" not in json.dumps(body)
