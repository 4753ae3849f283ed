"""A port of its own for clients of vosk-server, which connect without a path, or with any."""

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.access.error_responses import error_response
from streamer.dialects.vosk.dialect import PATH

MESSAGE = "this port is for clients of vosk-server: connect with ws:// or wss://"


class VoskPort:
    """An ASGI application around that of the server.

    Args:
        app: The application, which has the dialect at `/vosk`.
        port: What comes in on it is for the dialect, whatever its path.
        root_path: Before each path of the application.
    """

    def __init__(self, app: ASGIApp, port: int, root_path: str) -> None:
        self._app = app
        self._port = port
        self._path = root_path + PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket, or the lifespan."""
        served = scope.get("server")
        if scope["type"] == "lifespan" or served is None or served[1] != self._port:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app({**scope, "path": self._path}, receive, send)
        else:
            await _socket_only()(scope, receive, send)


def _socket_only() -> Response:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    return error_response(426, "upgrade_required", MESSAGE, headers)
