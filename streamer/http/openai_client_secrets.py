"""`POST /v1/realtime/client_secrets`: short-lived keys for browsers, in the shape of OpenAI's.

https://platform.openai.com/docs/api-reference/realtime-sessions/create-realtime-client-secret, and
`POST /v1/realtime/transcription_sessions` of the beta, which does the same.
"""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from streamer.access.credentials import shown_in_header
from streamer.access.error_responses import openai_error, unauthorized
from streamer.access.refusal_log import why_unauthorized
from streamer.access.tokens import MAX_TICKET_SECONDS, AuthState
from streamer.config.explain import explain
from streamer.config.numbers import with_whole_numbers
from streamer.http.refusals import Refused
from streamer.http.uploads import receive
from streamer.services import Services

PATH = "/v1/realtime/client_secrets"

MAX_BODY_BYTES = 16_384
DEFAULT_SECONDS, BETA_SECONDS = 600, 60
"""Until a secret expires, when the request has no time of its own."""


class Minted(NamedTuple):
    """A secret.

    Attributes:
        value: As the client shows it.
        session: The settings of its sessions, as the client gets them.
    """

    value: str
    session: dict[str, Any]


Mint = Callable[[Services, Mapping[str, Any], int, bool], Minted]
"""Makes a secret. Gets the settings, the seconds until it expires, and whether they are in the
beta's words; raises `Refused` for what it cannot use."""


class ExpiresAfter(msgspec.Struct, frozen=True):
    """Until when sessions may be opened; one that is open goes on."""

    seconds: Annotated[int, Meta(ge=10, le=7_200)] = DEFAULT_SECONDS
    anchor: Literal["created_at"] = "created_at"


class SecretRequest(msgspec.Struct, frozen=True):
    """The settings of a session, as in `session.update`, and for how long."""

    expires_after: ExpiresAfter | None = None
    session: dict[str, Any] | None = None


class BetaExpiry(msgspec.Struct, frozen=True):
    """For how long, in the words of the beta."""

    expires_at: ExpiresAfter | None = None


class BetaRequest(msgspec.Struct, frozen=True):
    """The settings of a session, as in `transcription_session.update`; they have more fields."""

    client_secret: BetaExpiry | None = None


class Secret(msgspec.Struct, frozen=True):
    """A key for a browser. `expires_at` is in seconds since 1970."""

    value: str
    expires_at: int
    session: dict[str, Any]


class BetaSecret(msgspec.Struct, frozen=True):
    """The same in the words of the beta."""

    value: str
    expires_at: int


class BetaSession(msgspec.Struct, frozen=True):
    """The settings and the secret, in the words of the beta; it has more fields."""

    id: str
    object: str
    client_secret: BetaSecret


async def client_secrets(request: Request) -> Response:
    """A key for a web page, which admits until it expires."""
    return await _answer(request, _secret)


async def transcription_sessions(request: Request) -> Response:
    """The same, as it was called in the beta of OpenAI's API."""
    return await _answer(request, _beta_secret)


RequestT = TypeVar("RequestT", SecretRequest, BetaRequest)
Answer = Callable[[Request, Mint, dict[str, Any]], dict[str, Any]]


async def _answer(request: Request, answer: Answer) -> Response:
    services: Services = request.app.state.services
    mint: Mint = request.app.state.mint_client_secret
    credential = shown_in_header(request.headers.get("authorization"))
    if not services.access.is_token(credential or ""):  # a secret buys no other
        state = AuthState.UNKNOWN if credential is None else AuthState.REFUSED
        return unauthorized(why_unauthorized(state), PATH)
    try:
        tree = await _body(request, services)
        return JSONResponse(answer(request, mint, tree), headers={"Cache-Control": "no-store"})
    except ClientDisconnect:
        return Response(status_code=499)  # never read
    except Refused as refused:
        body = openai_error(refused.status, refused.code, refused.message, refused.field)
        return JSONResponse(body, refused.status, headers=refused.headers)


def _secret(request: Request, mint: Mint, tree: dict[str, Any]) -> dict[str, Any]:
    asked = _read(tree, SecretRequest)
    seconds = (asked.expires_after or ExpiresAfter()).seconds
    minted = mint(request.app.state.services, asked.session or {}, seconds, False)
    return {
        "value": minted.value,
        "expires_at": _expires_at(seconds),
        "session": minted.session,
    }


def _beta_secret(request: Request, mint: Mint, tree: dict[str, Any]) -> dict[str, Any]:
    asked = _read(tree, BetaRequest).client_secret
    seconds = asked.expires_at.seconds if asked and asked.expires_at else BETA_SECONDS
    session = {name: value for name, value in tree.items() if name != "client_secret"}
    minted = mint(request.app.state.services, session, seconds, True)
    secret = {"value": minted.value, "expires_at": _expires_at(seconds)}
    return {**minted.session, "client_secret": secret}


def _expires_at(seconds: int) -> int:
    return int(time.time()) + min(seconds, MAX_TICKET_SECONDS)


def _read(tree: dict[str, Any], kind: type[RequestT]) -> RequestT:
    try:
        return msgspec.convert(with_whole_numbers(tree, kind), kind)
    except msgspec.ValidationError as error:
        problem = explain(error, tree, kind)
        raise Refused(400, "bad_request", problem.message, field=problem.field) from None


async def _body(request: Request, services: Services) -> dict[str, Any]:
    """The body, a JSON object."""
    body = b""
    async for chunk in receive(request, services.config.limits):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            text = f"the body has over {MAX_BODY_BYTES} bytes"
            raise Refused(413, "too_large", text, headers={"Connection": "close"})
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refused(400, "bad_request", f"the body is not JSON: {error}") from None
    if not isinstance(tree, dict):
        raise Refused(400, "bad_request", "the body is no JSON object")
    return tree
