"""Why a request gets no result: a status, a code for programs, and a sentence for people."""

from collections.abc import Mapping
from typing import Literal

from starlette.responses import JSONResponse, Response

from streamer.protocol.codes import RequestErrorCode

RETRY_AFTER_S = 1


class Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: Of the HTTP response.
        code: For programs.
        message: One sentence: the field, its value and what is allowed.
        field: Of the request, when one is at fault.
        headers: Of the response, beside those of its body.
    """

    def __init__(
        self,
        status: int,
        code: RequestErrorCode,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code: RequestErrorCode = code
        self.message = message
        self.field = field
        self.headers = headers or {}


def refuse(refused: Refused) -> Response:
    """The answer, in the shape of this server's own endpoints."""
    error = {"code": refused.code, "message": refused.message}
    return JSONResponse({"ok": False, "error": error}, refused.status, headers=refused.headers)


def busy(code: Literal["overloaded", "not_ready"], message: str) -> Refused:
    """Try again soon."""
    return Refused(503, code, message, headers={"Retry-After": str(RETRY_AFTER_S)})
