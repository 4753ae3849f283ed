"""The handlers of the methods: behind each, the same gate and the same sessions as everywhere."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import grpc.aio
from grpc.aio import ServicerContext
from starlette.responses import Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from streamer.access.gate import Gate
from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import Origins
from streamer.http.recording_request import RequestSlots
from streamer.http.refusals import Refused
from streamer.rpc.answers import answer
from streamer.rpc.call import Call
from streamer.rpc.dialect import (
    AnswerMethod,
    RpcService,
    SessionMethod,
)
from streamer.rpc.open_calls import SHUTTING_DOWN, OpenCalls
from streamer.services import Services
from streamer.session.dialect import UpgradeRefused
from streamer.session.endpoint import serve_socket
from streamer.websocket.asgi import ASGIApp, Receive, Scope, Send

Handler = Callable[[Any, Any], Awaitable[None]]
"""Of one method: gets what is not used here, and the context of a call."""


def handlers_of(
    served: Sequence[RpcService],
    services: Services,
    registry: SessionRegistry,
    slots: RequestSlots,
    calls: OpenCalls,
) -> Iterator[grpc.GenericRpcHandler]:
    """The handlers of all methods.

    Args:
        served: The services.
        services: What all sessions share.
        registry: Of the sessions of all protocols.
        slots: Of the requests with a recording, of all protocols.
        calls: They own the tasks.
    """
    app = _application(served, services, registry, slots)
    limits = services.config.limits

    def of_session(path: str, method: SessionMethod) -> Handler:
        max_bytes = method.max_message_bytes or limits.max_message_bytes

        async def handle(_: object, context: ServicerContext) -> None:
            call = Call(app, context, path, max_bytes, limits.max_messages_per_second)
            call.end(cut_off=await calls.serve(call.serve()))

        return handle

    def of_answer(method: AnswerMethod) -> Handler:
        async def handle(_: object, context: ServicerContext) -> None:
            if await calls.serve(answer(method, context, services, registry)):
                context.set_code(grpc.StatusCode.ABORTED)
                context.set_details(SHUTTING_DOWN)

        return handle

    for service in served:
        methods = {}
        for name, method in service.methods.items():
            if isinstance(method, SessionMethod):
                handler = of_session(f"/{service.name}/{name}", method)
            else:
                handler = of_answer(method)
            # Unary methods too: a stream of one message is the same on the wire, and so the
            # message is read after the client is admitted. That of a unary one is read at once.
            methods[name] = grpc.stream_stream_rpc_method_handler(handler)
        yield grpc.method_handlers_generic_handler(service.name, methods)


def max_message_bytes(served: Iterable[RpcService], configured: int) -> int:
    """Bytes of the largest request that any method takes.

    Args:
        served: The services.
        configured: `limits.max_message_bytes`.
    """
    methods = (method for service in served for method in service.methods.values())
    own = (method.max_message_bytes for method in methods if isinstance(method, SessionMethod))
    return max(configured, *(bytes_ or 0 for bytes_ in own))


def _application(
    served: Sequence[RpcService],
    services: Services,
    registry: SessionRegistry,
    slots: RequestSlots,
) -> ASGIApp:
    methods: Mapping[str, SessionMethod] = {
        f"/{service.name}/{name}": method
        for service in served
        for name, method in service.methods.items()
        if isinstance(method, SessionMethod)
    }

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        method = methods[scope["path"]]
        with contextlib.ExitStack() as resources:
            if method.is_recording:
                try:
                    resources.enter_context(slots.take())
                except Refused as refused:
                    services.monitor.error(refused.code)
                    reason = (refused.status, refused.code, refused.message, refused.headers)
                    await refuse(scope["path"], *reason)(scope, receive, send)
                    return
            await serve_socket(scope, receive, send, method.new_dialect, services, registry)

    def refuse(
        path: str, status: int, code: str, message: str, headers: Mapping[str, str]
    ) -> Response:
        dialect = methods[path].new_dialect(services)
        return dialect.refuse(UpgradeRefused(status, code, message, headers))

    gate = Gate(
        serve,
        access=services.access,
        origins=Origins(services.config.access.origins, local=False),
        registry=registry,
        sockets=frozenset(methods),
        refuse_socket=refuse,
        backlog=lambda: services.pools.backlog,
        on_refused=services.monitor.error,
        refusals=services.refusals,
    )
    trusted = services.config.server.forwarded_allow_ips
    return ProxyHeadersMiddleware(gate, list(trusted)) if trusted else gate  # type: ignore[arg-type, return-value]
