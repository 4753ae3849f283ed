"""`GET /v3/token`: short-lived tokens for browsers, in the shape of AssemblyAI's.

https://www.assemblyai.com/docs/api-reference/streaming-api/generate-streaming-token
"""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.access.assemblyai_errors import assemblyai_error
from streamer.access.credentials import shown_in_header
from streamer.access.refusal_log import why_unauthorized
from streamer.access.tokens import AuthState
from streamer.http.parameters import read_parameters
from streamer.http.refusals import Refused
from streamer.services import Services

MAX_SECONDS = 600
"""As AssemblyAI has it."""


class TokenQuery(msgspec.Struct, frozen=True):
    """For how long the token is to admit, in seconds; more names have no effect."""

    expires_in_seconds: Annotated[int, Meta(ge=1, le=MAX_SECONDS)]


class IssuedToken(msgspec.Struct, frozen=True):
    """A token that admits until it expires. It buys no other token."""

    token: str
    expires_in_seconds: int


async def token(request: Request) -> Response:
    """A token for a web page, which admits until it expires; one such does not buy another."""
    services: Services = request.app.state.services
    credential = shown_in_header(request.headers.get("authorization"))
    if not services.access.is_token(credential or ""):
        state = AuthState.UNKNOWN if credential is None else AuthState.REFUSED
        return assemblyai_error(401, why_unauthorized(state), {})
    known = TokenQuery.__struct_fields__
    items = [(name, value) for name, value in request.query_params.multi_items() if name in known]
    try:
        seconds = read_parameters(items, TokenQuery).expires_in_seconds
    except Refused as refused:
        return assemblyai_error(refused.status, refused.message, refused.headers)
    issued = IssuedToken(services.access.issue_ticket(seconds=seconds, single_use=False), seconds)
    headers = {"Cache-Control": "no-store"}
    return JSONResponse(msgspec.to_builtins(issued), headers=headers)
