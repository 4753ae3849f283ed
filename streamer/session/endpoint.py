"""The ASGI endpoint of a WebSocket address: refuse it by HTTP, or accept it and run a session."""

import secrets
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers, QueryParams
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from streamer.access.refusal_log import why_unauthorized
from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import AuthState
from streamer.protocol.inputs import Input, StartRequested
from streamer.protocol.requests import BadRequest
from streamer.services import Services
from streamer.session.dialect import Dialect, Opening, UpgradeRefused, UpgradeRequest
from streamer.session.session import Session
from streamer.session.start_checks import check_start


class SocketEndpoint:
    """One address at which clients speak one dialect.

    Args:
        new_dialect: Makes the dialect of one socket.
    """

    def __init__(self, new_dialect: Callable[[Services], Dialect]) -> None:
        self._new_dialect = new_dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket until it is closed."""
        state = scope["app"].state
        await serve_socket(scope, receive, send, self._new_dialect, state.services, state.registry)


async def serve_socket(
    scope: Scope,
    receive: Receive,
    send: Send,
    new_dialect: Callable[[Services], Dialect],
    services: Services,
    registry: SessionRegistry,
) -> None:
    """Serve one WebSocket, or what is one to ASGI, until it is closed.

    Args:
        scope: Of ASGI, as `receive` and `send` are.
        receive: Returns the next message.
        send: Carries out a message.
        new_dialect: Makes the dialect of this socket.
        services: What all sessions share.
        registry: Of all sessions.
    """
    dialect = new_dialect(services)
    request = _request(scope)
    try:
        opening, auth = _open(request, dialect, services)
    except UpgradeRefused as refused:
        services.monitor.error(refused.code)
        await dialect.refuse(refused)(scope, receive, send)
        return
    socket = WebSocket(scope, receive, send)
    session = Session(socket, dialect, opening, auth, services, request.session_id)
    with registry.opened(session):
        await session.run()


def _open(
    request: UpgradeRequest, dialect: Dialect, services: Services
) -> tuple[Opening, AuthState]:
    """Decide about a socket before it is accepted.

    The credential comes first: without one, there is no work done here, and no answer that depends
    on the server's settings.

    Raises:
        UpgradeRefused: It is not.
    """
    auth = services.access.auth_state(dialect.credential(request))
    if auth.refused or (auth is AuthState.UNKNOWN and not dialect.credential_in_start):
        services.refusals.unauthorized(request.address, auth)
        raise UpgradeRefused(401, "unauthorized", why_unauthorized(auth))
    opening = dialect.open(request)
    _check(opening.inputs, services)
    return opening, auth


def _check(inputs: Sequence[Input], services: Services) -> None:
    for given in inputs:
        if isinstance(given, StartRequested):
            try:
                check_start(given.start, services)
            except BadRequest as error:
                raise UpgradeRefused(400, error.code, str(error)) from None


def _request(scope: Scope) -> UpgradeRequest:
    return UpgradeRequest(
        path=str(scope["path"]).removeprefix(scope.get("root_path", "")),
        query=QueryParams(scope["query_string"]).multi_items(),
        headers=Headers(scope=scope),
        subprotocols=scope["subprotocols"],
        address=scope["client"] and scope["client"][0],
        session_id=secrets.token_hex(8),
    )
