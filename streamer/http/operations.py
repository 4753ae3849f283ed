"""Every HTTP address, with what it takes and gives: routes and description are made of it.

The WebSockets are described in `docs/protocol.md`; OpenAPI has no words for them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from streamer.http import analyze, analyze_window, status, transcriptions
from streamer.http.render import RENDERED_MEDIA_TYPES
from streamer.protocol.codes import RequestErrorCode


class NameConvertor(PathConvertor):
    """A name, whatever is in it; Starlette's own `path` ends at a line break."""

    regex = r"[\s\S]*"


register_url_convertor("name", NameConvertor())

Endpoint = Callable[[Request], Awaitable[Response]]


class ErrorBody(msgspec.Struct, frozen=True):
    """A code for programs, and a sentence for people."""

    code: RequestErrorCode
    message: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """A request that got no result."""

    ok: Literal[False]
    error: ErrorBody


class OpenAIErrorAnswer(msgspec.Struct, frozen=True):
    """A request that got no result, as OpenAI's clients expect it."""

    error: transcriptions.OpenAIError


class Health(msgspec.Struct, frozen=True):
    """The server answers."""

    status: Literal["healthy"]


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests and streams will be served; `reason` when not."""

    status: Literal["ready", "not ready", "draining"]
    workers: Annotated[int, Meta(ge=0)]
    reason: str | msgspec.UnsetType = msgspec.UNSET


class Ticket(msgspec.Struct, frozen=True):
    """What a web page may hold in the place of a token, to use once."""

    ticket: str
    expires_in_seconds: int


class ListedModel(msgspec.Struct, frozen=True):
    """A model, in OpenAI's words."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True):
    """All models, in OpenAI's words."""

    object: Literal["list"]
    data: list[ListedModel]


BodySchema = Any
"""A type that msgspec knows, or a tuple of alternatives; None for a body that is not JSON."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One address.

    Attributes:
        path: As clients write it, with `{names}`; `{name:name}` where it may hold slashes.
        endpoint: Answers; its docstring is the summary.
        method: Of the request.
        query: Struct of the query's parameters.
        body: Media types of the request's body; each with its schema, None for bytes.
        answers: For each status, the media types of the answer and their schemas.
    """

    path: str
    endpoint: Endpoint
    method: Literal["GET", "POST"] = "GET"
    query: type[msgspec.Struct] | None = None
    body: Mapping[str, BodySchema] = field(default_factory=dict)
    answers: Mapping[int, Mapping[str, BodySchema]]


JSON = "application/json"


def _json(answer: BodySchema) -> dict[str, BodySchema]:
    return {JSON: answer}


def _refusals(answer: BodySchema, *statuses: int) -> dict[int, dict[str, BodySchema]]:
    return {number: _json(answer) for number in statuses}


_FILES = {kind: None for kinds in analyze.AUDIO_TYPES.values() for kind in kinds[:1]}
_HEALTH = {200: _json(Health)}
_READY = {200: _json(Readiness), 503: _json(Readiness)}
_RENDERED = dict.fromkeys(RENDERED_MEDIA_TYPES.values())

OPERATIONS = (
    Operation(
        path="/api/v1/analyze",
        method="POST",
        endpoint=analyze.analyze,
        query=analyze.Query,
        body={**_FILES, "application/octet-stream": None},
        answers={
            200: {JSON: analyze.Analysis, **_RENDERED},
            **_refusals(ErrorAnswer, 400, 401, 403, 404, 408, 413, 415, 500, 503, 504),
        },
    ),
    Operation(
        path="/analyze_pcm_s16le",
        method="POST",
        endpoint=analyze_window.analyze_window,
        query=analyze_window.WindowQuery,
        body={"application/octet-stream": None},
        answers={
            200: _json(analyze_window.Score),
            **_refusals(ErrorAnswer, 400, 401, 403, 404, 408, 413, 415, 500, 503, 504),
        },
    ),
    Operation(
        path="/v1/audio/transcriptions",
        method="POST",
        endpoint=transcriptions.transcribe,
        body={"multipart/form-data": transcriptions.Form},
        answers={
            200: {
                JSON: (transcriptions.Transcription, transcriptions.VerboseTranscription),
                "text/event-stream": None,
                **_RENDERED,
            },
            **_refusals(OpenAIErrorAnswer, 400, 404, 408, 413, 500, 503, 504),
            **_refusals(ErrorAnswer, 401, 403),
        },
    ),
    Operation(
        path="/v1/models",
        endpoint=transcriptions.models,
        answers={200: _json(ModelList), **_refusals(ErrorAnswer, 401, 403, 503)},
    ),
    Operation(
        path="/v1/models/{model:name}",
        endpoint=transcriptions.model,
        answers={
            200: _json(ListedModel),
            404: _json(OpenAIErrorAnswer),
            **_refusals(ErrorAnswer, 401, 403, 503),
        },
    ),
    Operation(
        path="/api/v1/ticket",
        method="POST",
        endpoint=status.ticket,
        answers={200: _json(Ticket), **_refusals(ErrorAnswer, 401, 403, 503)},
    ),
    Operation(path="/api/v1/health", endpoint=status.health, answers=_HEALTH),
    Operation(path="/health", endpoint=status.health, answers=_HEALTH),
    Operation(path="/api/v1/ready", endpoint=status.ready, answers=_READY),
    Operation(path="/ready", endpoint=status.ready, answers=_READY),
    Operation(path="/api/v1/info", endpoint=status.info, answers={200: _json(dict[str, object])}),
)
