"""The gate before everything that is served: allowed web pages, tokens of requests, room.

An ASGI middleware, so that all routes are behind it: every WebSocket, every request that does more
than read (POST and the like), and everything below `/v1/` and `/v3/`. Reading health, readiness,
metrics, `info` or the page is always allowed. The credential of a WebSocket is checked by its
endpoint, because each dialect carries it in another place.
"""

from collections.abc import Callable, Collection, Mapping

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.access.assemblyai_errors import is_assemblyai
from streamer.access.credentials import shown_in_header
from streamer.access.error_responses import (
    OPENAI_PREFIX,
    error_response,
    served_path,
    unauthorized,
)
from streamer.access.origin_report import describe_refusal
from streamer.access.refusal_log import RefusalLog, why_unauthorized
from streamer.access.sessions import Refusal, SessionRegistry, counting_key
from streamer.access.tokens import Access, AuthState, Origins
from streamer.inference.model_pools import Backlog

RefuseSocket = Callable[[str, int, str, str, Mapping[str, str]], Response]
"""Makes the answer to the request for a socket. Gets the path, the status, the code, the message
and headers."""

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Passes requests on, or answers in place of the application.

    Args:
        app: What is behind the gate.
        access: Tokens and tickets.
        origins: The web pages that may connect.
        registry: The sessions there are, and whether the server is ending.
        sockets: The addresses of WebSockets; at another there is nothing for which to need room.
        refuse_socket: Makes the refusals at these addresses, each in the shape of its clients.
        backlog: What a new session would have to wait for.
        on_refused: Called with the code of each refusal.
        refusals: Logs them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        origins: Origins,
        registry: SessionRegistry,
        sockets: Collection[str],
        refuse_socket: RefuseSocket,
        backlog: Callable[[], Backlog],
        on_refused: Callable[[str], None],
        refusals: RefusalLog,
    ) -> None:
        self._app = app
        self._access = access
        self._origins = origins
        self._registry = registry
        self._sockets = sockets
        self._refuse_socket = refuse_socket
        self._backlog = backlog
        self._on_refused = on_refused
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http" and _guarded(scope):
            await self._request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = counting_key(scope["client"][0] if scope["client"] else None)
        answer: Response | None = None
        if not self._origin_allowed(Headers(scope=scope)):
            answer = self._forbidden(scope)
        elif served_path(scope) not in self._sockets:
            await self._app(scope, receive, send)  # which answers 404
            return
        elif refusal := self._registry.refusal(address, self._backlog()):
            answer = self._overloaded(scope, refusal)
        if answer is not None:
            await answer(scope, receive, send)
            return
        with self._registry.place(address):
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        app: ASGIApp = self._app
        token = shown_in_header(headers.get("authorization"))
        if not self._origin_allowed(headers):
            app = self._forbidden(scope)
        elif (auth := self._access.auth_state(token)) is not AuthState.ADMITTED:
            self._on_refused("unauthorized")
            self._refusals.unauthorized(scope["client"] and scope["client"][0], auth)
            app = unauthorized(why_unauthorized(auth), served_path(scope))
        elif self._registry.draining:
            app = self._overloaded(scope, self._registry.refusal("", Backlog(0.0)))
        with self._registry.busy():
            await app(scope, receive, send)

    def _forbidden(self, scope: Scope) -> Response:
        self._on_refused("unauthorized")
        self._report_origin(Headers(scope=scope), scope["scheme"])
        message = "this Origin may not use the server; see access.origins"
        return self._refusal(scope, 403, "unauthorized", message, {})

    def _overloaded(self, scope: Scope, refusal: Refusal | None) -> Response:
        assert refusal is not None
        self._on_refused("overloaded")
        if not self._registry.draining:
            self._refusals.no_room(refusal.message)
        headers = {"Retry-After": str(refusal.retry_after_seconds)}
        return self._refusal(scope, 503, "overloaded", refusal.message, headers)

    def _refusal(
        self, scope: Scope, status: int, code: str, message: str, headers: Mapping[str, str]
    ) -> Response:
        path = served_path(scope)
        if scope["type"] == "websocket" and path in self._sockets:
            return self._refuse_socket(path, status, code, message, headers)
        return error_response(status, code, message, headers, path=path)

    def _report_origin(self, headers: Headers, scheme: str) -> None:
        own = f"{scheme.replace('ws', 'http')}://{headers.get('host', '')}"
        origins = self._origins.listed
        self._refusals.page(describe_refusal(headers.get("origin", ""), own, origins))

    def _origin_allowed(self, headers: Headers) -> bool:
        return self._origins.allow(headers.get("origin"), headers.get("host", ""))


def _guarded(scope: Scope) -> bool:
    path = served_path(scope)
    others = path.startswith(OPENAI_PREFIX) or is_assemblyai(path)
    return others or scope["method"] not in READING_METHODS
