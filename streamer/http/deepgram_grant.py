"""`POST /v1/auth/grant`: short-lived tokens for browsers, in the shape of Deepgram's.

https://developers.deepgram.com/reference/auth/tokens/grant
"""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from streamer.access.credentials import shown_in_header
from streamer.access.deepgram_errors import deepgram_error, new_request_id
from streamer.access.refusal_log import why_unauthorized
from streamer.access.tokens import AuthState
from streamer.config.explain import explain
from streamer.http.refusals import Refused
from streamer.http.uploads import receive
from streamer.services import Services

DEFAULT_TTL_SECONDS = 30
MAX_TTL_SECONDS = 3_600

MAX_BODY_BYTES = 4_096
"""Bytes; a body has one number."""


class GrantRequest(msgspec.Struct, frozen=True):
    """How long the token is to admit; more fields have no effect."""

    ttl_seconds: Annotated[float, Meta(ge=1, le=MAX_TTL_SECONDS)] | None = None


class Grant(msgspec.Struct, frozen=True):
    """A token that admits until it expires. It buys no other token."""

    access_token: str
    expires_in: float


async def grant(request: Request) -> Response:
    """A token for a web page, which admits until it expires; one such does not buy another."""
    services: Services = request.app.state.services
    credential = shown_in_header(request.headers.get("authorization"))
    if not services.access.is_token(credential or ""):
        state = AuthState.UNKNOWN if credential is None else AuthState.REFUSED
        return deepgram_error(401, why_unauthorized(state), new_request_id(), {})
    try:
        asked = _read(await _body(receive(request, services.config.limits)))
    except ClientDisconnect:
        return Response(status_code=499)  # never read
    except Refused as refused:
        return deepgram_error(refused.status, refused.message, new_request_id(), refused.headers)
    seconds = asked.ttl_seconds or DEFAULT_TTL_SECONDS
    token = services.access.issue_ticket(seconds=seconds, single_use=False)
    body = {"access_token": token, "expires_in": seconds}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def _body(chunks: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, "too_large", f"the body has over {MAX_BODY_BYTES} bytes")
    return body


def _read(body: bytes) -> GrantRequest:
    if not body.strip():
        return GrantRequest()
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refused(400, "bad_request", f"the body is not JSON: {error}") from None
    try:
        return msgspec.convert(tree, GrantRequest)
    except msgspec.ValidationError as error:
        raise Refused(400, "bad_request", explain(error, tree, GrantRequest).message) from None
