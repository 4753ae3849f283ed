"""The HTTP answers to requests that are refused, for every address of the server.

At Deepgram's and AssemblyAI's addresses they have the shape that their clients expect, at others
with `/v1/` in them that of OpenAI's, elsewhere, and below `/api/v1/`, the server's own.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from starlette.responses import JSONResponse, Response

from streamer.access.assemblyai_errors import assemblyai_error, is_assemblyai
from streamer.access.deepgram_errors import deepgram_error, is_deepgram, new_request_id
from streamer.access.refusal_log import with_advice

OPENAI_PREFIX = "/v1/"
"""Everything below has the shapes of OpenAI's API."""

_LIKE_OPENAI = re.compile(r"(?<!/api)/v1(/|$)", re.IGNORECASE)
"""An address of OpenAI's API, also one that is not right: a client was given a base address with a
slash too many, with a second `/v1`, or with the prefix of another server."""

SERVER_ERRORS = 500
"""HTTP status from which on the server is at fault."""


class OpenAIError(msgspec.Struct, frozen=True):
    """An error as OpenAI's clients expect it."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str


def openai_error(status: int, code: str, message: str, field: str | None = None) -> dict[str, Any]:
    """The body of an error in OpenAI's shape.

    Args:
        status: Of the HTTP response.
        code: For programs.
        message: For people.
        field: Of the request, when one is at fault.
    """
    kind: Literal["invalid_request_error", "server_error"] = (
        "invalid_request_error" if status < SERVER_ERRORS else "server_error"
    )
    return {"error": msgspec.to_builtins(OpenAIError(message, kind, field, code))}


def error_response(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str],
    *,
    path: str = "",
    field: str | None = None,
) -> Response:
    """An error in the shape that the clients of an address expect.

    Args:
        status: Of the HTTP response.
        code: For programs.
        message: For people.
        headers: Of the response, beside those of its body.
        path: Of the address, as `served_path` gives it.
        field: Of the request, when one is at fault.
    """
    if is_deepgram(path):
        return deepgram_error(status, message, new_request_id(), headers)
    if is_assemblyai(path):
        return assemblyai_error(status, message, headers)
    own: dict[str, Any] = {"ok": False, "error": {"code": code, "message": message}}
    body = openai_error(status, code, message, field) if is_openai(path) else own
    return JSONResponse(body, status, headers=headers)


def unauthorized(message: str, path: str = "") -> Response:
    """The answer to a request without a token, or with a wrong one.

    Args:
        message: Which of the two, as `why_unauthorized` gives it.
        path: Of the address, as `served_path` gives it.
    """
    headers = {"WWW-Authenticate": "Bearer"}
    text = with_advice(message, "send Authorization: Bearer TOKEN")
    return error_response(401, "unauthorized", text, headers, path=path)


def is_openai(path: str) -> bool:
    """Whether an address is one of OpenAI's API, or could be taken for one."""
    return _LIKE_OPENAI.search(path) is not None


def served_path(scope: Mapping[str, Any]) -> str:
    """The path of an ASGI scope, as the server's routes name it: without a proxy's prefix."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))
