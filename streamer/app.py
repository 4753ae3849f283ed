"""The ASGI application: which address leads where, and what lives as long as the server."""

import asyncio
import contextlib
import logging
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.access.cors import Cors
from streamer.access.error_responses import error_response, served_path
from streamer.access.gate import Gate
from streamer.access.refusal_log import RefusalLog
from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import Access, Origins, is_loopback
from streamer.config.cores import usable_cores
from streamer.config.explain import show
from streamer.config.schema import Config
from streamer.dialects.addresses import SocketAddress, socket_addresses
from streamer.dialects.openai_realtime.minting import mint
from streamer.http import openapi
from streamer.http.metrics_endpoint import MetricsEndpoint
from streamer.http.near_paths import near_path
from streamer.http.operations import Operation, operations
from streamer.http.page import page_routes
from streamer.http.recording_request import RequestSlots
from streamer.inference.model_pools import Pools, worker_shares
from streamer.inference.pool import WorkerPool
from streamer.inference.worker_process import ModelCannotLoad
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor
from streamer.recordings.decoder import Decoders
from streamer.remote.crews import crew_plan
from streamer.services import Services
from streamer.session.dialect import UpgradeRefused
from streamer.session.endpoint import SocketEndpoint
from streamer.telemetry.lag import watch_loop
from streamer.telemetry.setup import Telemetry
from streamer.vad.engine import VadEngine

_log = logging.getLogger(__name__)

METRICS_PATH = "/metrics"


def create_app(
    config: Config,
    access: Access,
    models: Sequence[ModelSpec],
    open_vad: Callable[[], VadEngine],
    telemetry: Telemetry,
    on_ready: Callable[[Pools], None],
    on_broken: Callable[[Exception], None],
    sockets: Mapping[str, SocketAddress] | None = None,
) -> Starlette:
    """The application.

    Args:
        config: All settings, without tokens.
        access: Who may use the server.
        models: What the workers load; the first is the default.
        open_vad: Makes the voice-activity engine, when the server starts.
        telemetry: Watches all that is done.
        on_ready: Called once, when the workers are warm.
        on_broken: Called once, when there are no workers and never will be.
        sockets: The addresses of WebSockets; None = those of the configuration.
    """
    if sockets is None:
        sockets = socket_addresses(config.server.dialects)
    refusals = RefusalLog(time.monotonic)
    served = operations(config.server.dialects)
    paths = {operation.path for operation in served}
    addresses = [*(operation.path for operation in served), *sockets, openapi.PATH, METRICS_PATH]

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        monitor = telemetry.monitor
        pools = _pools(config, models, monitor)
        decoders = Decoders(monitor=monitor)
        app.state.services = Services(
            config=config,
            pools=pools,
            vad=open_vad(),
            access=access,
            monitor=monitor,
            tracer=telemetry.tracer,
            decoders=decoders,
            refusals=refusals,
        )
        app.state.slots = RequestSlots(config.limits.max_concurrent_requests)
        with contextlib.closing(decoders):
            decoders.start()
            async with asyncio.TaskGroup() as tasks:
                own = [
                    tasks.create_task(monitor.tracked("inference", _run(pools, on_broken))),
                    tasks.create_task(_welcome(pools, on_ready)),
                    tasks.create_task(monitor.tracked("metrics", watch_loop(monitor))),
                ]
                yield
                for task in own:
                    task.cancel()
        await asyncio.to_thread(telemetry.tracer.shutdown)

    app = Starlette(
        routes=[
            *page_routes(),
            *(WebSocketRoute(path, SocketEndpoint(at.new)) for path, at in sockets.items()),
            *_operation_routes(served),
            *(Route(path, _socket_only(path)) for path in sockets if path not in paths),
            Route(openapi.PATH, openapi.openapi),
            Route(METRICS_PATH, MetricsEndpoint(telemetry.expose).get),
        ],
        lifespan=lifespan,
        exception_handlers={
            404: _no_such_address(addresses),
            405: _no_such_method,
            Exception: _internal_error,
        },
    )
    app.router.default = _answer_wrong_sockets(app.router.default, sockets)
    app.state.registry = SessionRegistry(config.limits)
    app.state.addresses = _by_dialect(sockets)
    app.state.mint_client_secret = mint

    def refuse_socket(
        path: str, status: int, code: str, message: str, headers: Mapping[str, str]
    ) -> Response:
        dialect = sockets[path].new(app.state.services)
        return dialect.refuse(UpgradeRefused(status, code, message, headers))

    app.add_middleware(
        Gate,
        access=access,
        origins=_origins(config),
        registry=app.state.registry,
        sockets=frozenset(sockets),
        refuse_socket=refuse_socket,
        backlog=lambda: app.state.services.pools.backlog,
        on_refused=telemetry.monitor.error,
        refusals=refusals,
    )
    if config.access.origins:
        app.add_middleware(Cors, origins=config.access.origins)
    return app


def _by_dialect(sockets: Mapping[str, SocketAddress]) -> dict[str, list[str]]:
    """The addresses of the WebSockets, for each dialect by its name."""
    paths: dict[str, list[str]] = {}
    for path, at in sockets.items():
        paths.setdefault(at.dialect, []).append(path)
    return paths


def _operation_routes(served: Iterable[Operation]) -> Iterator[Route]:
    """Each also with a slash at its end: clients do not send a form again after a redirect."""
    for operation in served:
        yield Route(operation.path, operation.endpoint, methods=[operation.method])
        if not operation.path.endswith("}"):
            yield Route(f"{operation.path}/", operation.endpoint, methods=[operation.method])


def _origins(config: Config) -> Origins:
    behind_proxy = bool(config.server.forwarded_allow_ips)
    local = is_loopback(config.server.host) and not behind_proxy
    return Origins(config.access.origins, local=local)


def _no_such_address(
    served: Sequence[str],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers a request to an address that is none; `served` is those that there are."""

    async def answer(request: Request, error: Exception) -> Response:
        path = served_path(request.scope)
        near = near_path(path, served)
        hint = f"did you mean {near}? See" if near else "see"
        message = f"there is nothing at {show(request.url.path)}; {hint} {openapi.PATH}"
        return error_response(404, "not_found", message, {}, path=path)

    return answer


def _answer_wrong_sockets(default: ASGIApp, sockets: Iterable[str]) -> ASGIApp:
    """What is behind all routes: WebSockets get an answer, which Starlette closes without one."""

    async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await default(scope, receive, send)
            return
        message = f"there is no WebSocket at {show(scope['path'])}; allowed: {', '.join(sockets)}"
        await error_response(404, "not_found", message, {})(scope, receive, send)

    return not_found


def _socket_only(path: str) -> Response:
    """What a request gets at the address of a socket, with whatever method."""
    message = f"{path} is a WebSocket: connect with ws:// or wss://"
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    return error_response(426, "upgrade_required", message, upgrade)


async def _no_such_method(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    allowed = dict(error.headers or {})
    message = f"{request.url.path} does not take {request.method}; allowed: {allowed['Allow']}"
    path = served_path(request.scope)
    return error_response(405, "method_not_allowed", message, allowed, path=path)


async def _internal_error(request: Request, error: Exception) -> Response:
    """What the client of a defect gets; the exception goes on, and into the log."""
    path = served_path(request.scope)
    return error_response(500, "internal_error", "internal error", {}, path=path)


def _pools(config: Config, models: Sequence[ModelSpec], monitor: Monitor) -> Pools:
    pools = []
    for model, settings, share in zip(models, config.served, workers_of(config), strict=True):
        inference = msgspec.structs.replace(config.inference, workers=share)
        crew = None
        if settings.remote is not None:
            crew = crew_plan(
                settings.remote,
                local=share,
                cores=usable_cores(),
                timeout_s=inference.timeout_seconds,
            )
        pools.append(WorkerPool(model, inference, monitor, crew))
    return Pools(pools)


def workers_of(config: Config) -> list[int]:
    """How many local workers each model gets, in the order of the configuration.

    One whose workers are all remote gets none.
    """
    total = config.inference.workers or usable_cores()
    has_local = [not (model.remote and model.remote.only) for model in config.served]
    configured = [
        model.workers for model, local in zip(config.served, has_local, strict=True) if local
    ]
    shares = iter(worker_shares(configured, total))
    return [next(shares) if local else 0 for local in has_local]


async def _run(pools: Pools, on_broken: Callable[[Exception], None]) -> None:
    try:
        await pools.run()
    except Exception as error:
        if not isinstance(error, ModelCannotLoad):
            _log.exception("the worker pools failed")
        on_broken(error)


async def _welcome(pools: Pools, on_ready: Callable[[Pools], None]) -> None:
    await pools.wait_ready()
    on_ready(pools)
