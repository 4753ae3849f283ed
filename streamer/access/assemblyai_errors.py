"""Errors in the shape that AssemblyAI's clients expect: in HTTP answers, and before an upgrade."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

PREFIX = "/v3/"
"""Of its live API."""


def is_assemblyai(path: str) -> bool:
    """Whether an address is one of AssemblyAI's live API."""
    return path.startswith(PREFIX)


def assemblyai_error(status: int, message: str, headers: Mapping[str, str]) -> Response:
    """An error.

    Args:
        status: Of the HTTP response.
        message: For people.
        headers: Of the response, beside those of its body.
    """
    return JSONResponse({"error": message}, status, headers=headers)
