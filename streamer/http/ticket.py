"""`POST /api/v1/ticket`: a token becomes a ticket that a web page may hold."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.access.gate import unauthorized
from streamer.access.tokens import TICKET_SECONDS, Access, bearer


async def ticket(request: Request) -> Response:
    """A single-use ticket; another ticket does not buy one."""
    access: Access = request.app.state.services.access
    if not access.is_token(bearer(request.headers.get("authorization")) or ""):
        return unauthorized()
    body = {"ticket": access.issue_ticket(), "expires_in_seconds": TICKET_SECONDS}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
