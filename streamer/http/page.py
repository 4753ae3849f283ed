"""`GET /`: the page that streams from a browser, and the files it is made of."""

import os
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from streamer.weights.sample import sample_recording

FOLDER = Path(__file__).parents[1] / "web"

ASSET_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
    ".ts": "text/plain",
}
"""Fixed here: operating systems map `.js` and `.ts` to different types, and browsers obey."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    # Asked for anew each time, and answered with 304 while the ETag is the same.
    "Cache-Control": "no-cache",
}


def page_routes() -> list[BaseRoute]:
    """The page, its files below `web/`, and `sample.wav`, a recording to try with."""
    return [
        Route("/", page),
        Mount("/web", _Files(directory=FOLDER)),
        Route("/sample.wav", sample),
    ]


async def page(request: Request) -> Response:
    """Everything in it is relative, so it works below any path of a reverse proxy."""
    return await _Files(directory=FOLDER).get_response("index.html", request.scope)


async def sample(request: Request) -> Response:
    """A recording to try with, when the weights that it came with are there."""
    recording = sample_recording()
    if recording is None:
        return Response("there is no sample on this server\n", 404, media_type="text/plain")
    return FileResponse(recording, headers=HEADERS, media_type="audio/wav")


class _Files(StaticFiles):
    """Files with an ETag, and with headers that keep the page to itself."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        response.headers.update(_content_type(Path(full_path)))
        return response


def _content_type(path: Path) -> Mapping[str, str]:
    media_type = ASSET_MEDIA_TYPES.get(path.suffix)
    return {"Content-Type": f"{media_type}; charset=utf-8"} if media_type else {}
