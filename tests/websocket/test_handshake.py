"""The upgrade: what an application learns of the request, and how it accepts or refuses."""

import asyncio
import ssl
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from streamer.config.limits import LimitsConfig
from streamer.websocket.connection import websocket_class
from streamer.websocket.handshake import transport_address
from tests.end_to_end.certificates import self_signed, trusting
from tests.websocket.in_loop import serving
from tests.websocket.in_memory import connected, until
from tools.harness.raw import BINARY, UPGRADE, frame, parse_frames, upgrade_request

OURS = websocket_class(LimitsConfig())


class Keeping:
    """Keeps the scope, and what it receives; accepts."""

    def __init__(self, **accept: Any) -> None:
        self.scope: Scope = {}
        self.received: list[Message] = []
        self._accept = accept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["pool"] = "of the lifespan"
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.scope = scope
        self.received.append(await receive())
        await send({"type": "websocket.accept", **self._accept})
        while (message := await receive())["type"] == "websocket.receive":
            self.received.append(message)
        self.received.append(message)


async def scope_seen(protocol: object) -> tuple[Scope, int, int]:
    """Of an odd request, with the ports of the server and the client."""
    app = Keeping()
    async with (
        serving(app, protocol, root_path="/speech", headers=[("x-by", "test")]) as port,
        connect(
            f"ws://127.0.0.1:{port}/a%20b/%C3%BC?token=x%20y&b=",
            compression=None,
            user_agent_header=None,
            additional_headers=[
                ("Sec-WebSocket-Protocol", "one, two"),
                ("Sec-WebSocket-Protocol", "three"),
                ("X-Name", "Grüße"),
                ("x-name", "again"),
            ],
        ) as client,
    ):
        client_port = client.local_address[1]
    return app.scope, port, client_port


async def test_the_scope_is_the_one_of_the_specification() -> None:
    scope, port, client_port = await scope_seen(OURS)
    headers = scope.pop("headers")
    additional = {key: scope.pop(key) for key in list(scope) if key.startswith("streamer.")}
    assert scope == {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("127.0.0.1", port),
        "client": ("127.0.0.1", client_port),
        "root_path": "/speech",
        "path": "/speech/a b/ü",
        "raw_path": b"/speech/a%20b/%C3%BC",
        "query_string": b"token=x%20y&b=",
        "subprotocols": ["one", "two", "three"],
        "state": {"pool": "of the lifespan"},
        "extensions": {"websocket.http.response": {}},
    }
    assert additional.keys() == {
        "streamer.abort",
        "streamer.gone",
        "streamer.direct",
        "streamer.allow",
        "streamer.ping",
        "streamer.spent",
    }
    assert headers[-4:] == [
        (b"sec-websocket-protocol", b"one, two"),
        (b"sec-websocket-protocol", b"three"),
        (b"x-name", "Grüße".encode("latin-1")),
        (b"x-name", b"again"),
    ]
    assert (b"host", f"127.0.0.1:{port}".encode()) in headers


async def test_the_scope_has_what_uvicorns_own_class_gives() -> None:
    """The dependency is capped; a key that a later version adds is noticed here."""
    ours, *_ = await scope_seen(OURS)
    theirs, *_ = await scope_seen("websockets-sansio")
    changing = {"server", "client", "headers"}
    assert {key for key in ours if not key.startswith("streamer.")} == set(theirs)
    for key in set(theirs) - changing:
        assert ours[key] == theirs[key], key
    names = [[name for name, _ in scope["headers"]] for scope in (ours, theirs)]
    assert names[0] == names[1]


async def test_the_state_is_a_copy_of_each_connection() -> None:
    app = Keeping()
    async with serving(app, OURS) as port:
        async with connect(f"ws://127.0.0.1:{port}/"):
            app.scope["state"]["pool"] = "changed"
        async with connect(f"ws://127.0.0.1:{port}/"):
            assert app.scope["state"] == {"pool": "of the lifespan"}


async def test_tls_is_another_scheme(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    app = Keeping()
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    async with serving(app, OURS, lifespan="off", **files) as port:
        tls: ssl.SSLContext = trusting(certificate)
        async with connect(f"wss://localhost:{port}/", ssl=tls):
            assert app.scope["scheme"] == "wss"
            assert app.scope["server"] == ("127.0.0.1", port)


@pytest.mark.parametrize(
    ("info", "address"),
    [
        (("127.0.0.1", 80), ("127.0.0.1", 80)),
        (("::1", 80, 0, 0), ("::1", 80)),
        ("/run/streamer.sock", ("/run/streamer.sock", None)),
        (None, None),
    ],
)
def test_addresses(info: object, address: object) -> None:
    assert transport_address(info) == address


# Accepting


async def test_a_subprotocol_and_other_headers_are_accepted_with() -> None:
    cookies = [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"X-Name", "ü".encode("latin-1"))]
    app = Keeping(subprotocol="two", headers=cookies)
    async with (
        serving(app, OURS, lifespan="off", headers=[("x-by", "test")]) as port,
        connect(f"ws://127.0.0.1:{port}/", subprotocols=["one", "two"]) as client,  # type: ignore[list-item]
    ):
        assert client.subprotocol == "two"
        assert client.response is not None
        headers = client.response.headers
        assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert headers["X-Name"] == "ü"
        assert headers["X-By"] == "test"
        assert parsedate_to_datetime(headers["Date"]).tzinfo is not None  # exactly one
        assert "Sec-WebSocket-Extensions" not in headers


async def test_frames_before_the_answer_wait_for_it() -> None:
    """A client has to wait (RFC 6455, section 4.1), and one that does not gains nothing."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await answer_now.wait()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            received.append(message)
        received.append(message)

    answer_now, received = asyncio.Event(), list[Message]()
    _, wire = connected(app, upgrade=upgrade_request("/", X_Long="x" * 5_000))
    wire.arrive(frame(BINARY, b"early") + frame(9, b"ping"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert wire.written == b""
    answer_now.set()
    await until(lambda: received)
    assert received == [{"type": "websocket.receive", "bytes": b"early"}]
    answer, _, after = wire.written.partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert parse_frames(after) == [(10, b"ping")]
    wire.abort()
    await until(lambda: len(received) == 2)


# Refusing


def refusing(*messages: Message) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(message)
        received.append(await receive())

    received: list[Message] = []
    app.received = received  # type: ignore[attr-defined]
    return app


def start(status: int, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "websocket.http.response.start", "status": status, "headers": headers}


def body(content: bytes, *, more: bool = False) -> Message:
    return {"type": "websocket.http.response.body", "body": content, "more_body": more}


async def refused_by(app: Any) -> Any:
    async with serving(app, OURS, lifespan="off") as port:
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(f"ws://127.0.0.1:{port}/"):
                pass
    return refusal.value.response


async def test_a_refusal_has_status_headers_and_body() -> None:
    app = refusing(
        start(401, (b"WWW-Authenticate", b"Bearer"), (b"content-type", b"application/json")),
        body(b'{"code": ', more=True),
        body(b'"unauthorized"}'),
    )
    response = await refused_by(app)
    assert (response.status_code, response.reason_phrase) == (401, "Unauthorized")
    assert response.body == b'{"code": "unauthorized"}'
    headers = response.headers
    assert headers["WWW-Authenticate"] == "Bearer"
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == "24"
    assert headers["Connection"] == "close"
    assert parsedate_to_datetime(headers["Date"]).tzinfo is not None
    assert app.received == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


async def test_a_refusal_may_have_a_status_without_a_name() -> None:
    response = await refused_by(refusing(start(499), body(b"")))
    assert (response.status_code, response.reason_phrase, response.body) == (499, "", b"")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_closing_before_accepting_is_forbidden() -> None:
    app = refusing({"type": "websocket.close", "code": 4_000, "reason": "not today"})
    response = await refused_by(app)
    assert (response.status_code, response.body) == (403, b"")
    assert app.received == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Version": "12"}, 400),
        ({"Connection": "keep-alive, Upgrade", "Sec_WebSocket_Key": ""}, 400),
    ],
)
async def test_a_request_that_is_no_upgrade_is_refused_without_the_application(
    changed: dict[str, str], status: int
) -> None:
    app = Keeping()
    connection, wire = connected(app, upgrade=upgrade_request("/", **changed))
    assert wire.written.startswith(f"HTTP/1.1 {status} ".encode())
    assert wire.closed
    await until(lambda: connection not in connection._connections)
    assert app.scope == {}


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nno header\r\n\r\n", b"\r\n\r\n"])
async def test_bytes_that_are_no_request_are_answered(data: bytes) -> None:
    """uvicorn's parser lets something through that the core's does not."""
    _, wire = connected(Keeping(), upgrade=data)
    assert wire.written.startswith(b"HTTP/1.1 400 ")
    assert wire.closed


def test_the_upgrade_of_these_tests_is_complete() -> None:
    assert {"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"} <= set(UPGRADE)
