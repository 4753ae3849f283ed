"""The ASGI application: which address leads where, and what lives as long as the server."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from streamer.config import Config
from streamer.http.index import index
from streamer.http.status import health, info, ready
from streamer.inference.model import ModelSpec
from streamer.inference.pool import WorkerPool
from streamer.inference.process import ModelCannotLoad
from streamer.services import Services
from streamer.session import Session
from streamer.speech.vad import VadEngine

_log = logging.getLogger(__name__)


def create_app(
    config: Config,
    model: ModelSpec,
    open_vad: Callable[[], VadEngine],
    on_ready: Callable[[WorkerPool], None],
    on_broken: Callable[[Exception], None],
) -> Starlette:
    """The application.

    Args:
        config: All settings.
        model: The model that the workers load.
        open_vad: Makes the voice-activity engine, when the server starts.
        on_ready: Called once, when the workers are warm.
        on_broken: Called once, when there are no workers and never will be.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        pool = WorkerPool(model, config.inference)
        app.state.services = Services(config=config, pool=pool, vad=open_vad())
        async with asyncio.TaskGroup() as tasks:
            workers = tasks.create_task(_run(pool, on_broken))
            welcome = tasks.create_task(_welcome(pool, on_ready))
            yield
            workers.cancel()
            welcome.cancel()

    return Starlette(
        routes=[
            Route("/", index),
            WebSocketRoute("/api/v1/segmented", _segmented),
            WebSocketRoute("/api/v1/simple", _simple),
            Route("/api/v1/health", health),
            Route("/health", health),
            Route("/api/v1/ready", ready),
            Route("/ready", ready),
            Route("/api/v1/info", info),
        ],
        lifespan=lifespan,
    )


async def _segmented(socket: WebSocket) -> None:
    await Session(socket, segmented=True, services=socket.app.state.services).run()


async def _simple(socket: WebSocket) -> None:
    await Session(socket, segmented=False, services=socket.app.state.services).run()


async def _run(pool: WorkerPool, on_broken: Callable[[Exception], None]) -> None:
    try:
        await pool.run()
    except Exception as error:
        if not isinstance(error, ModelCannotLoad):
            _log.exception("the worker pool failed")
        on_broken(error)


async def _welcome(pool: WorkerPool, on_ready: Callable[[WorkerPool], None]) -> None:
    await pool.wait_ready()
    on_ready(pool)
