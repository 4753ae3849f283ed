"""What the log says of those who find no room, and of web pages that may not connect."""

import json
import logging
from collections.abc import Mapping

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from streamer.access.error_responses import error_response
from streamer.access.gate import Gate
from streamer.access.refusal_log import REPORT_INTERVAL_S, RefusalLog
from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import Access, AuthState, Origins
from streamer.config.access import AccessConfig
from streamer.config.limits import LimitsConfig
from streamer.inference.model_pools import Backlog


async def not_reached(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the gate let a refused client through")


def refuse_socket(
    path: str, status: int, code: str, message: str, headers: Mapping[str, str]
) -> Response:
    return error_response(status, code, message, headers)


async def test_the_log_names_the_limit_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    refused: list[str] = []
    sessions = SessionRegistry(LimitsConfig(max_sessions=1))
    gate = Gate(
        not_reached,
        access=Access([], lambda: now_s),
        origins=Origins([], local=False),
        registry=sessions,
        sockets={"/"},
        refuse_socket=refuse_socket,
        backlog=lambda: Backlog(0.0),
        on_refused=refused.append,
        refusals=RefusalLog(lambda: now_s),
    )
    sent: list[Message] = []
    scope = {"type": "websocket", "path": "/", "headers": [], "client": ("192.0.2.1", 1)}

    async def hear() -> Message:
        return {"type": "websocket.connect"}

    async def say(message: Message) -> None:
        sent.append(message)

    async def knock() -> int:
        await gate({**scope, "extensions": {"websocket.http.response": {}}}, hear, say)
        return len(caplog.records)

    with sessions.place("192.0.2.2"), caplog.at_level(logging.WARNING):
        assert [await knock(), await knock()] == [1, 1]
        assert "limits.max_sessions is 1" in caplog.records[0].getMessage()
        now_s += REPORT_INTERVAL_S
        assert [await knock(), await knock()] == [2, 2]
        now_s += REPORT_INTERVAL_S
        assert "(1 more since" in caplog.records[1].getMessage()
        sessions.draining = True
        assert await knock() == 2, "that a server ends is no lack of room"
    assert refused == ["overloaded"] * 5
    assert [m["status"] for m in sent if "status" in m] == [503] * 5


def test_who_shows_no_token_and_who_a_wrong_one_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = RefusalLog(lambda: 0.0)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            log.unauthorized("192.0.2.1", AuthState.UNKNOWN)
            log.unauthorized("192.0.2.2", AuthState.REFUSED)
    missing, wrong = (record.getMessage() for record in caplog.records)
    assert missing.startswith("a client at 192.0.2.1 was refused: a token is needed")
    assert wrong.startswith("a client at 192.0.2.2 was refused: the token is not valid")


PAGE, OWN = "http://localhost:8000", "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("listed", "host", "value"),
    [
        ((), "127.0.0.1:8080", f'["{OWN}", "{PAGE}"]'),
        (("https://a.example",), "127.0.0.1:8080", f'["https://a.example", "{PAGE}"]'),
        ((), "nonsense\r\nx", f'["{PAGE}"]'),
        ((), "", f'["{PAGE}"]'),
    ],
)
async def test_the_log_names_the_value_that_would_allow_a_page(
    caplog: pytest.LogCaptureFixture, listed: tuple[str, ...], host: str, value: str
) -> None:
    (line,) = await refused_pages(caplog, [PAGE], listed=listed, host=host)
    assert line == f"a web page of {PAGE} was refused; to allow it, set access.origins to {value}"
    assert AccessConfig(origins=tuple(json.loads(value))).conflict() is None


async def test_what_is_no_origin_is_shown_and_not_offered(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = await refused_pages(caplog, ["null"])
    assert "opened from a file" in line
    for origin in (
        "evil\nline two",
        "http://" + "x" * 5_000,
        'http://"quote',
        "chrome-extension://a",
    ):
        (line,) = await refused_pages(caplog, [origin])
        assert "set access.origins" not in line
        assert "\n" not in line
        assert len(line) < 300


async def test_refused_pages_are_one_line_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    pages = [f"http://localhost:{port}" for port in range(9_000, 9_100)]
    assert len(await refused_pages(caplog, pages)) == 1
    assert len(await refused_pages(caplog, pages[:3], seconds_between=REPORT_INTERVAL_S)) == 3


async def refused_pages(
    caplog: pytest.LogCaptureFixture,
    pages: list[str],
    *,
    listed: tuple[str, ...] = (),
    host: str = "127.0.0.1:8080",
    seconds_between: float = 0.0,
) -> list[str]:
    """The lines in the log when these pages try to connect, one after the other."""
    now_s = 100.0
    caplog.clear()
    gate = Gate(
        not_reached,
        access=Access([], lambda: now_s),
        origins=Origins(listed, local=True),
        registry=SessionRegistry(LimitsConfig()),
        sockets=["/api/v1/simple"],
        refuse_socket=refuse_socket,
        backlog=lambda: Backlog(0.0),
        on_refused=lambda code: None,
        refusals=RefusalLog(lambda: now_s),
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    for page in pages:
        headers = [(b"origin", page.encode("latin-1")), (b"host", host.encode("latin-1"))]
        scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": "/api/v1/simple",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "extensions": {"websocket.http.response": {}},
        }
        with caplog.at_level(logging.WARNING):
            await gate(scope, receive, send)
        now_s += seconds_between
    assert [m["status"] for m in sent if "status" in m] == [403] * len(pages)
    return [record.getMessage() for record in caplog.records]
