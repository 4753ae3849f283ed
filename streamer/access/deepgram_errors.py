"""Errors in the shape that Deepgram's clients expect: in HTTP answers, and before an upgrade."""

import re
import secrets
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

CODES: Mapping[int, str] = {
    400: "Bad Request",
    401: "INVALID_AUTH",
    403: "INSUFFICIENT_PERMISSIONS",
    404: "PROJECT_NOT_FOUND",
    408: "SLOW_UPLOAD",
    413: "PAYLOAD_TOO_LARGE",
    415: "Bad Request",
    503: "SERVICE_UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
}
"""`err_code` for each HTTP status. https://developers.deepgram.com/docs/errors"""


_PATHS = re.compile(r"/v[12]/(listen|auth/grant)/?")


def is_deepgram(path: str) -> bool:
    """Whether an address is one of Deepgram's API."""
    return _PATHS.fullmatch(path) is not None


def deepgram_error(
    status: int, message: str, request_id: str, headers: Mapping[str, str]
) -> Response:
    """An error.

    Args:
        status: Of the HTTP response.
        message: For people.
        request_id: As clients see it.
        headers: Of the response, beside those of its body.
    """
    code = CODES.get(status, "INTERNAL_SERVER_ERROR")
    body = {"err_code": code, "err_msg": message, "request_id": request_id}
    # Only ASCII fits into a header; the body has the whole text.
    shown = message.encode("ascii", "replace").decode()
    own = {"dg-error": shown, "dg-request-id": request_id}
    return JSONResponse(body, status, headers={**own, **headers})


def request_id_of(session_id: str) -> str:
    """The id that clients of this protocol see: a UUID, whose last 16 digits are our own id.

    Args:
        session_id: 16 hexadecimal digits, as in the server's log.
    """
    return f"00000000-0000-4000-{session_id[:4]}-{session_id[4:]}"


def new_request_id() -> str:
    """Of a request that has no session."""
    return request_id_of(secrets.token_hex(8))
