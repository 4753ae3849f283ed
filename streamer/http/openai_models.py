"""`GET /v1/models`, in the shape of OpenAI's, and the names that mean a model of this server."""

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.access.error_responses import error_response, served_path
from streamer.config.explain import show

OPENAI_MODEL_NAMES = re.compile(r"whisper-1|gpt-([\w.]+-)?(mini-)?transcribe(-[\w-]+)?")
"""OpenAI's names of transcribers. Many programs have one built in, so each means the first model of
the server, unless one of its own has that name."""


async def models(request: Request) -> Response:
    """List the models, as OpenAI's endpoint of this name does."""
    names = request.app.state.services.pools.names
    dialects = [*request.app.state.addresses]
    return JSONResponse({"object": "list", "data": [_model(name, dialects) for name in names]})


async def model(request: Request) -> Response:
    """Describe one model, as OpenAI's endpoint of this name does."""
    names = request.app.state.services.pools.names
    name = request.path_params["model"]
    if name not in names:
        name = name.removesuffix("/")
    if served_name(name, names) in (None, *names):
        return JSONResponse(_model(name, [*request.app.state.addresses]))
    message = f"'model' is {show(name)}; allowed: {', '.join(names)}"
    path = served_path(request.scope)
    return error_response(404, "unknown_model", message, {}, path=path, field="model")


def served_name(given: str | None, names: Sequence[str]) -> str | None:
    """The model that a client means, or what it calls it; None = the first of `names`."""
    if given is None or (given not in names and OPENAI_MODEL_NAMES.fullmatch(given)):
        return None
    return given


def _model(name: str, dialects: Sequence[str]) -> dict[str, object]:
    """As OpenAI's, and the protocols of live streams in which it can be used."""
    openai = {"id": name, "object": "model", "created": 0, "owned_by": "streamer"}
    return {**openai, "dialects": dialects}
