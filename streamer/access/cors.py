"""Requests from web pages of other origins: which pages may send them, and may read the answer.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.access.error_responses import error_response, served_path

SECONDS_CACHED = 600
"""Seconds for which a browser need not ask again."""


class Cors(CORSMiddleware):
    """Answers the preflight requests of browsers, and marks answers as readable.

    A page of an allowed origin may send any header: the `openai` package sends a dozen of its own
    (`x-stainless-…`), and each version others. That gives the page nothing: the server accepts no
    cookies, and a program could send the same headers without asking.

    Args:
        app: What is behind.
        origins: Those allowed, or `*`.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        super().__init__(
            app,
            allow_origins=[origin.lower() for origin in origins],
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            # The server may be on the page's own machine or network.
            allow_private_network=True,
            expose_headers=["Retry-After"],
            max_age=SECONDS_CACHED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                answer = self.preflight_response(headers)
                if answer.status_code != 200:
                    why = bytes(answer.body).decode()
                    message = f"{why}; see access.origins, and the methods in /openapi.json"
                    vary = {"Vary": answer.headers["Vary"]}
                    path = served_path(scope)
                    answer = error_response(403, "unauthorized", message, vary, path=path)
                await answer(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
