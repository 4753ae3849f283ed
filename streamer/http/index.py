"""`GET /`: what runs here and what to do with it, for whoever opens the address in a browser."""

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Streamer</title>
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto;
         padding: 0 1rem }}
  code, pre {{ font: 0.9rem/1.5 ui-monospace, monospace }}
  pre {{ padding: 0.8rem 1rem; border: 1px solid #8886; border-radius: 6px; overflow-x: auto }}
  td {{ padding: 0.15rem 1rem 0.15rem 0; vertical-align: top }}
</style>
<h1>Streamer is running</h1>
<p>Model: <b>{models}</b>. Audio streams in over a WebSocket, observations stream out.</p>
<p>Play a recording to it from the project's folder:</p>
<pre>.venv/bin/streamer-client --real-time --interim-results \\
    -a {websocket}/api/v1/segmented -i recording.wav</pre>
<table>
<tr><td><code>{websocket}/api/v1/segmented</code><td>speech segments, found by a VAD
<tr><td><code>{websocket}/api/v1/simple</code><td>every sample, in equal chunks
<tr><td><a href="api/v1/info">api/v1/info</a><td>version, model, limits, defaults
<tr><td><a href="api/v1/ready">api/v1/ready</a><td>whether the model is warm
<tr><td><a href="api/v1/health">api/v1/health</a><td>whether the server is alive
</table>
</html>
"""


async def index(request: Request) -> Response:
    """A page without scripts or outside requests."""
    scheme = "wss" if request.url.scheme == "https" else "ws"
    page = _PAGE.format(
        models=html.escape(", ".join(request.app.state.services.pools.names)),
        websocket=html.escape(f"{scheme}://{request.url.netloc}{request.scope['root_path']}"),
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})
