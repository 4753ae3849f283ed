"""The HTTP answers to requests that are refused, for every address of the server."""

from starlette.responses import JSONResponse, Response


def error_response(status: int, code: str, message: str, headers: dict[str, str]) -> Response:
    """An error as the HTTP endpoints answer it."""
    body = {"ok": False, "error": {"code": code, "message": message}}
    return JSONResponse(body, status, headers=headers)


def unauthorized() -> Response:
    """The answer to a request without a token, or with a wrong one."""
    message = "a valid token is needed: Authorization: Bearer …"
    return error_response(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})
