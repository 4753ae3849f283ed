"""What is behind the port for Wyoming: the same gate and the same sessions as everywhere else."""

import functools
import time
from collections.abc import Callable, Mapping

import msgspec
from starlette.responses import Response
from uvicorn.server import ServerState

import streamer
from streamer.access.gate import Gate
from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import Access, Origins
from streamer.dialects.wyoming.answers import answer_of
from streamer.dialects.wyoming.connection import PATH, WyomingConnection
from streamer.dialects.wyoming.dialect import WyomingDialect
from streamer.dialects.wyoming.info import info
from streamer.http.deepgram_query import ServedModel, served_models
from streamer.services import Services
from streamer.session.dialect import UpgradeRefused
from streamer.session.endpoint import serve_socket
from streamer.websocket.asgi import Receive, Scope, Send
from streamer.websocket.turns import ParserTurns


def connection_factory(
    services: Services, registry: SessionRegistry, server_state: ServerState
) -> Callable[[], WyomingConnection]:
    """Makes the protocol object of each connection.

    Args:
        services: Of the server.
        registry: Of the sessions of all protocols.
        server_state: uvicorn's.
    """
    config = services.config
    # The protocol has no credentials; the configuration decides who can reach the port.
    services = msgspec.structs.replace(services, access=Access((), time.monotonic))
    ends_commands = config.wyoming.ends_commands

    @functools.lru_cache(maxsize=1)
    def info_of(models: tuple[ServedModel, ...]) -> bytes:
        return info(models, streamer.__version__, ends_commands=ends_commands)

    def described() -> bytes:
        # The languages of a model of one's own are known when it is warm.
        return info_of(tuple(served_models(services.pools)))

    def new_dialect(_: Services) -> WyomingDialect:
        return WyomingDialect(
            served_models(services.pools),
            config.limits.max_channels,
            config.vad,
            described(),
            ends_commands=ends_commands,
        )

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await serve_socket(scope, receive, send, new_dialect, services, registry)

    def refuse(
        path: str, status: int, code: str, message: str, headers: Mapping[str, str]
    ) -> Response:
        del path
        return new_dialect(services).refuse(UpgradeRefused(status, code, message, headers))

    gate = Gate(
        serve,
        access=services.access,
        origins=Origins((), local=False),
        registry=registry,
        sockets={PATH},
        refuse_socket=refuse,
        backlog=lambda: services.pools.backlog,
        on_refused=services.monitor.error,
        refusals=services.refusals,
    )
    turns = ParserTurns()
    return lambda: WyomingConnection(
        gate,
        lambda event: answer_of(event, described()),
        services.monitor.error,
        config.limits,
        server_state,
        turns,
    )
