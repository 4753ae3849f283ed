"""A port on which every path is for clients of vosk-server."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from streamer.dialects.vosk.port import VoskPort

PORT = 2_700


async def passed_on(scope: Scope) -> list[str]:
    """The paths that the application gets; for a request that it does not get, the status."""
    found: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope.get("path", scope["type"]))

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        if "status" in message:
            found.append(str(message["status"]))

    await VoskPort(app, PORT, "/speech")(scope, receive, send)
    return found


@pytest.mark.parametrize("path", ["/speech/", "/speech/api/v1/simple", "/speech/vosk", "/speech/é"])
async def test_every_socket_of_the_port_is_for_the_dialect(path: str) -> None:
    scope = {"type": "websocket", "server": ("::1", PORT, 0, 0), "path": path}
    assert await passed_on(scope) == ["/speech/vosk"]
    assert await passed_on({**scope, "type": "http"}) == ["426"]
    for others in (("::1", 8_080), None):
        assert await passed_on({**scope, "server": others}) == [path]
        assert await passed_on({**scope, "type": "http", "server": others}) == [path]


async def test_the_lifespan_is_that_of_the_application() -> None:
    assert await passed_on({"type": "lifespan"}) == ["lifespan"]
