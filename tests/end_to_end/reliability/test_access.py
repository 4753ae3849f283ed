"""Who is let in, in which of the ways there are, and that no token is ever written down."""

import asyncio
import contextlib
import http.client
import json
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.end_to_end.conftest import _for_the_session
from tools.harness.process import Server
from tools.harness.raw import open_connection, read_to_end, upgrade_request
from tools.harness.streams import Client

TOKEN, OTHER = "correct-horse", "battery-staple"
WRONG = "wrong-horse"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server with two tokens, one from a file; it must never say either of them."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens").write_text(f"# for the tests\n\n{OTHER}\n")
    config = {
        "model": {"type": "standin"},
        "server": {"log_level": "debug"},
        "access": {"tokens": [TOKEN], "tokens_file": "tokens"},
    }
    for server in _for_the_session(folder, config):
        yield server
        log = server.log()
        assert not [secret for secret in (TOKEN, OTHER, WRONG) if secret in log]


@contextlib.asynccontextmanager
async def opened(server: Server, *subprotocols: str, **headers: str) -> AsyncIterator[Client]:
    async with connect(
        f"ws://127.0.0.1:{server.port}/api/v1/simple",
        subprotocols=subprotocols or None,  # type: ignore[arg-type]
        additional_headers=headers,
        compression=None,
        proxy=None,
    ) as connection:
        assert connection.subprotocol == ("streamer.v1" if subprotocols else None)
        yield Client(connection)


async def is_let_in(socket: Client, **start: Any) -> bool:
    with contextlib.suppress(ConnectionClosed):  # it may have been refused already
        await socket.start(**start)
    event = await socket.next_event()
    if event["type"] == "started":
        return True
    assert event["code"] == "unauthorized"
    assert event["fatal"] is True
    assert await socket.events_until_close() == []
    assert socket.close_code == 1008
    return False


@pytest.mark.parametrize("token", [TOKEN, OTHER])
async def test_a_token_in_each_of_its_places(guarded: Server, token: str) -> None:
    async with opened(guarded, Authorization=f"Bearer {token}") as socket:
        assert await is_let_in(socket)
    async with opened(guarded, "streamer.v1", f"token.{token}") as socket:
        assert await is_let_in(socket)
    async with opened(guarded) as socket:
        assert await is_let_in(socket, token=token)


async def is_refused_before_the_upgrade(server: Server, *subprotocols: str, **headers: str) -> bool:
    with pytest.raises(InvalidStatus) as refusal:
        async with opened(server, *subprotocols, **headers):
            pass
    response = refusal.value.response
    assert json.loads(response.body or b"")["error"]["code"] == "unauthorized"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    return response.status_code == 401


async def test_a_wrong_token_in_each_of_its_places(guarded: Server) -> None:
    assert await is_refused_before_the_upgrade(guarded, Authorization=f"Bearer {WRONG}")
    assert await is_refused_before_the_upgrade(guarded, "streamer.v1", f"token.{WRONG}")
    async with opened(guarded) as socket:
        assert not await is_let_in(socket, token=WRONG)


async def test_refusals_before_the_upgrade_are_counted(guarded: Server) -> None:
    def counted() -> float:
        metrics = guarded.get("/metrics").text
        (line,) = (
            line
            for line in metrics.splitlines()
            if line.startswith('streamer_errors_total{code="unauthorized"}')
        )
        return float(line.split()[-1])

    before = await asyncio.to_thread(counted)
    assert await is_refused_before_the_upgrade(guarded, Authorization=f"Bearer {WRONG}")
    assert await asyncio.to_thread(counted) == before + 1


@pytest.mark.parametrize("first", ['{"request": "keep_alive"}', "not JSON", '{"request": "start"}'])
async def test_nothing_is_heard_before_the_token(guarded: Server, first: str) -> None:
    async with opened(guarded) as socket:
        await socket.send_text(first)
        assert (await socket.next_event())["code"] == "unauthorized"
    async with opened(guarded) as socket:
        await socket.send(b"audio")
        assert (await socket.next_event())["code"] == "unauthorized"
    async with opened(guarded) as socket:
        assert not await is_let_in(socket)


async def test_the_token_is_wanted_once(guarded: Server) -> None:
    async with opened(guarded) as socket:
        assert await is_let_in(socket, token=TOKEN)
        await socket.send_request("stop")
        await socket.events_until("stopped")
        assert await is_let_in(socket)


async def test_a_missing_token_is_told_from_a_wrong_one(guarded: Server) -> None:
    starts: list[tuple[dict[str, Any], str]] = [
        ({}, "a token is needed"),
        ({"token": WRONG}, "the token is not valid"),
    ]
    for start, says in starts:
        async with opened(guarded) as socket:
            await socket.start(**start)
            assert says in (await socket.next_event())["message"]
        assert f"a client at 127.0.0.1 was refused: {says}" in guarded.log()
    for headers, says in (
        ({}, "a token is needed"),
        ({"Authorization": f"Bearer {WRONG}"}, "the token is not valid"),
    ):
        for path in ("/api/v1/ticket", "/api/v1/analyze", "/v1/audio/transcriptions"):
            _, body = await asyncio.to_thread(post, guarded, path, **headers)
            assert body["error"]["message"].startswith(says)


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"vad": {"minSilenceMs": 300}}, "bad_message", "unknown field 'vad.minSilenceMs'"),
    ({"format": {"sample_rate": 4_000}}, "bad_format", "'format.sample_rate' is 4000"),
    ({"format": {"sample_rate": "16000"}}, "bad_format", "'format.sample_rate' is \"16000\""),
    ({"format": {"sample_rate": 16_000, "channels": 99}}, "bad_format", "channels"),
    ({"format": {"sample_rate": 16_000}, "modle": "x"}, "bad_message", "unknown field 'modle'"),
    ({"request": "begin"}, "bad_message", "'request' is \"begin\""),
]


@pytest.mark.parametrize(("fields", "code", "says"), FAULTS)
async def test_a_right_token_is_seen_in_a_wrong_start(
    guarded: Server, fields: dict[str, Any], code: str, says: str
) -> None:
    form = {"format": {"sample_rate": 16_000}}
    async with opened(guarded) as socket:
        await socket.send_text(json.dumps({"request": "start", "token": TOKEN} | form | fields))
        event = await socket.next_event()
        assert (event["code"], event["fatal"]) == (code, False)
        assert says in event["message"]
        assert await is_let_in(socket)  # it needs no second token
    for token in (WRONG, 5, [TOKEN]):
        async with opened(guarded) as socket:
            await socket.send_text(json.dumps({"request": "start", "token": token} | form | fields))
            event = await socket.next_event()
            assert event["code"] == "unauthorized"
            assert event["message"].startswith("the token is not valid")
            assert says not in event["message"]


async def test_a_first_message_that_is_not_json_is_named(guarded: Server) -> None:
    async with opened(guarded) as socket:
        await socket.send_text(f'{{"request": "start", "token": "{TOKEN}",}}')
        event = await socket.next_event()
    assert event["code"] == "unauthorized"
    assert "none could be read: the message is not JSON" in event["message"]


def post(server: Server, path: str, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=40)
    with contextlib.closing(connection):
        connection.request("POST", path, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def buy(server: Server) -> str:
    status, body = post(server, "/api/v1/ticket", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert body["expires_in_seconds"] <= 60
    ticket: str = body["ticket"]
    return ticket


async def test_a_ticket_opens_one_socket(guarded: Server) -> None:
    ticket = await asyncio.to_thread(buy, guarded)
    async with opened(guarded, "streamer.v1", f"token.{ticket}") as socket:
        assert await is_let_in(socket)
    assert await is_refused_before_the_upgrade(guarded, "streamer.v1", f"token.{ticket}")
    async with opened(guarded) as socket:
        assert await is_let_in(socket, token=await asyncio.to_thread(buy, guarded))


@pytest.mark.parametrize("path", ["/api/v1/ticket", "/whatever/comes", "/v1/audio/transcriptions"])
def test_requests_need_a_token(guarded: Server, path: str) -> None:
    ticket = buy(guarded)
    wrong = [{}, {"Authorization": f"Bearer {WRONG}"}, {"Authorization": "Basic eDp5"}]
    for headers in wrong:
        status, body = post(guarded, path, **headers)
        assert status == 401
        assert body["error"]["code"] == "unauthorized"
    if path == "/api/v1/ticket":
        assert post(guarded, path, Authorization=f"Bearer {ticket}")[0] == 401


@pytest.mark.parametrize("path", ["/", "/health", "/api/v1/ready", "/api/v1/info", "/metrics"])
def test_a_look_needs_none(guarded: Server, path: str) -> None:
    assert guarded.get(path).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_is_refused_before_the_upgrade(guarded: Server, origin: str) -> None:
    token = f"Bearer {TOKEN}"
    with pytest.raises(InvalidStatus) as refusal:
        async with opened(guarded, Authorization=token, Origin=origin):
            pass
    assert refusal.value.response.status_code == 403
    status, body = await asyncio.to_thread(
        post, guarded, "/api/v1/ticket", Authorization=token, Origin=origin
    )
    assert (status, body["ok"]) == (403, False)


async def test_the_servers_own_page_is_let_in(guarded: Server) -> None:
    origin = f"http://127.0.0.1:{guarded.port}"
    async with opened(guarded, "streamer.v1", f"token.{TOKEN}", Origin=origin) as socket:
        assert await is_let_in(socket)


def test_a_name_that_leads_here_by_a_trick_is_refused(guarded: Server) -> None:
    with open_connection(guarded) as raw:
        raw.sendall(upgrade_request(Host="evil.example", Origin="http://evil.example"))
        assert read_to_end(raw).startswith(b"HTTP/1.1 403")


def test_listed_pages_may_send_requests(tmp_path: Path) -> None:
    config = {"model": {"type": "standin"}, "access": {"origins": ["https://a.example"]}}
    server = Server(tmp_path, config, env={"STREAMER_TOKENS": f"{TOKEN}, {OTHER}"})
    try:
        server.wait_ready()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=40)
        headers = {
            "Origin": "https://a.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        with contextlib.closing(connection):
            connection.request("OPTIONS", "/api/v1/ticket", headers=headers)
            response = connection.getresponse()
            assert response.status == 200
            assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert post(server, "/api/v1/ticket")[0] == 401
        assert post(server, "/api/v1/ticket", Authorization=f"Bearer {OTHER}")[0] == 200
    finally:
        server.stop()


@pytest.mark.parametrize(("tokens", "warned"), [("", True), (TOKEN, False)])
def test_everybody_is_warned_about(tmp_path: Path, tokens: str, *, warned: bool) -> None:
    config = {"model": {"type": "standin"}, "server": {"host": "0.0.0.0"}}
    server = Server(tmp_path, config, env={"STREAMER_TOKENS": tokens})
    try:
        server.wait_ready()
        assert ("set access.tokens" in server.log()) is warned
    finally:
        server.stop()
