"""An ASGI application that uvicorn serves in the test's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, ws: object, **settings: Any) -> AsyncIterator[int]:
    """Serve until the context ends; yields the port, where connections wait for the server.

    Args:
        app: What to serve.
        ws: The class that speaks the WebSocket protocol, or what uvicorn calls it.
        settings: Others of `uvicorn.Config`.
    """
    config = uvicorn.Config(app, ws=ws, log_config=None, **settings)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(server.serve([listener]))
            try:
                yield int(listener.getsockname()[1])
            finally:
                server.should_exit = True
                await running
