"""The gate before everything that is served: who comes in, and whether there is room.

An ASGI middleware, so that whatever is added behind it is covered: every WebSocket, every request
that is more than a look (POST and the like), and everything below `/v1/`. A look at health,
readiness, metrics, `info` or the page is always answered.
"""

import logging
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.access.registry import Refusal, address_of
from streamer.access.sessions import Sessions
from streamer.access.tokens import Access, Origins, Standing, bearer

_log = logging.getLogger(__name__)

STANDING = "streamer.standing"
"""Key in the scope of a WebSocket: the `Standing` of its client."""

LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
GUARDED = "/v1/"
REPORT_SECONDS = 10.0
"""Between two lines in the log about those who found no room."""

TOKEN_PREFIX = "token."  # noqa: S105 – what marks a token among subprotocols


class Gate:
    """Lets in, or answers in place of the application.

    Args:
        app: What is behind the gate.
        access: Tokens and tickets.
        origins: The web pages that may connect.
        sessions: How many there are, and whether the server is ending.
        queue_seconds: How long a new session's segment would wait for a worker.
        on_refused: Told the code of each answer that turns somebody away.
        clock: The time in seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        origins: Origins,
        sessions: Sessions,
        queue_seconds: Callable[[], float],
        on_refused: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._access = access
        self._origins = origins
        self._sessions = sessions
        self._queue_seconds = queue_seconds
        self._on_refused = on_refused
        self._clock = clock
        self._report_s = clock()
        """When the log may be told again."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http" and _guarded(scope):
            await self._request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        address = address_of(scope["client"][0] if scope["client"] else None)
        answer: Response | None = None
        if not self._allowed(headers):
            answer = self._forbidden()
        elif refusal := self._sessions.refusal(address, self._queue_seconds()):
            answer = self._overloaded(refusal)
        if answer is not None:
            await answer(scope, receive, send)
            return
        scope[STANDING] = self._access.standing(_shown(scope, headers))
        with self._sessions.place(address):
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        app: ASGIApp = self._app
        if not self._allowed(headers):
            app = self._forbidden()
        elif self._access.standing(bearer(headers.get("authorization"))) is not Standing.ADMITTED:
            self._on_refused("unauthorized")
            app = unauthorized()
        elif self._sessions.draining:
            app = self._overloaded(self._sessions.refusal("", 0.0))
        with self._sessions.busy():
            await app(scope, receive, send)

    def _forbidden(self) -> Response:
        self._on_refused("unauthorized")
        message = "this Origin may not use the server; see access.origins"
        return failure(403, "unauthorized", message, {})

    def _overloaded(self, refusal: Refusal | None) -> Response:
        assert refusal is not None
        self._on_refused("overloaded")
        if not self._sessions.draining:
            self._report(refusal.message)
        headers = {"Retry-After": str(refusal.retry_after_seconds)}
        return failure(503, "overloaded", refusal.message, headers)

    def _report(self, why: str) -> None:
        """A line now and then; the metrics count them all."""
        now_s = self._clock()
        if now_s >= self._report_s:
            _log.warning("somebody was refused: %s", why)
            self._report_s = now_s + REPORT_SECONDS

    def _allowed(self, headers: Headers) -> bool:
        return self._origins.allow(headers.get("origin"), headers.get("host", ""))


def _guarded(scope: Scope) -> bool:
    path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
    return scope["method"] not in LOOKS or path.startswith(GUARDED)


def _shown(scope: Scope, headers: Headers) -> str | None:
    """The token in the header, or beside the subprotocol."""
    offered = (p.removeprefix(TOKEN_PREFIX) for p in scope["subprotocols"] if _is_token(p))
    return bearer(headers.get("authorization")) or next(offered, None)


def _is_token(subprotocol: str) -> bool:
    return subprotocol.startswith(TOKEN_PREFIX)


def failure(status: int, code: str, message: str, headers: dict[str, str]) -> Response:
    """An error as the HTTP endpoints give it."""
    body = {"ok": False, "error": {"code": code, "message": message}}
    return JSONResponse(body, status, headers=headers)


def unauthorized() -> Response:
    """The answer to whoever shows no token, or a wrong one."""
    message = "a valid token is needed: Authorization: Bearer …"
    return failure(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})
