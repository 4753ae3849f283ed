"""Every HTTP address, with what it takes and gives: routes and description are made of it.

The WebSockets are described in `docs/protocol.md`; OpenAPI has no words for them.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from streamer.config.dialect_names import AddedDialect
from streamer.http import (
    analyze,
    analyze_window,
    assemblyai_token,
    deepgram_grant,
    deepgram_listen,
    openai_answers,
    openai_client_secrets,
    openai_fields,
    openai_models,
    status,
    transcriptions,
)
from streamer.http.answer_bodies import (
    AssemblyAIErrorAnswer,
    DeepgramErrorAnswer,
    ErrorAnswer,
    Health,
    ListedModel,
    ModelList,
    OpenAIErrorAnswer,
    Readiness,
    Ticket,
)
from streamer.http.render import RENDERED_MEDIA_TYPES


class NameConvertor(PathConvertor):
    """A name, whatever is in it; Starlette's own `path` ends at a line break."""

    regex = r"[\s\S]*"


register_url_convertor("name", NameConvertor())

Endpoint = Callable[[Request], Awaitable[Response]]


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
        needs_body: Whether a request without a body is refused.
        answers: For each status, the media types of the answer and their schemas.
        dialect: It is served with this one of `server.dialects`. None = always.
    """

    path: str
    endpoint: Endpoint
    method: Literal["GET", "POST"] = "GET"
    query: type[msgspec.Struct] | None = None
    body: Mapping[str, BodySchema] = field(default_factory=dict)
    needs_body: bool = True
    answers: Mapping[int, Mapping[str, BodySchema]]
    dialect: AddedDialect | None = None


JSON = "application/json"


def _json(answer: BodySchema) -> dict[str, BodySchema]:
    return {JSON: answer}


def _refusals(answer: BodySchema, *statuses: int) -> dict[int, dict[str, BodySchema]]:
    return {number: _json(answer) for number in statuses}


_FILES = {kind: None for kinds in analyze.AUDIO_TYPES.values() for kind in kinds[:1]}
_HEALTH = {200: _json(Health)}
_READY = {200: _json(Readiness), 503: _json(Readiness)}
_RENDERED = dict.fromkeys(RENDERED_MEDIA_TYPES.values())
_TRANSCRIBED = {
    200: {
        JSON: (openai_answers.Transcription, openai_answers.VerboseTranscription),
        "text/event-stream": None,
        **_RENDERED,
    },
    **_refusals(OpenAIErrorAnswer, 400, 401, 403, 404, 408, 413, 500, 503, 504),
}

_SECRETS = _refusals(OpenAIErrorAnswer, 400, 401, 403, 408, 413, 503)

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
        body={"multipart/form-data": openai_fields.Form},
        answers=_TRANSCRIBED,
    ),
    Operation(
        path="/v1/audio/translations",
        method="POST",
        endpoint=transcriptions.translate,
        body={"multipart/form-data": openai_fields.Form},
        answers=_TRANSCRIBED,
    ),
    Operation(
        path="/v1/realtime/client_secrets",
        method="POST",
        endpoint=openai_client_secrets.client_secrets,
        dialect="realtime",
        body={JSON: openai_client_secrets.SecretRequest},
        answers=_SECRETS | {200: _json(openai_client_secrets.Secret)},
    ),
    Operation(
        path="/v1/realtime/transcription_sessions",
        method="POST",
        endpoint=openai_client_secrets.transcription_sessions,
        dialect="realtime",
        body={JSON: openai_client_secrets.BetaRequest},
        answers=_SECRETS | {200: _json(openai_client_secrets.BetaSession)},
    ),
    Operation(
        path="/v1/models",
        endpoint=openai_models.models,
        answers={200: _json(ModelList), **_refusals(OpenAIErrorAnswer, 401, 403, 503)},
    ),
    Operation(
        path="/v1/models/{model:name}",
        endpoint=openai_models.model,
        answers={
            200: _json(ListedModel),
            **_refusals(OpenAIErrorAnswer, 401, 403, 404, 503),
        },
    ),
    Operation(
        path="/v1/listen",
        method="POST",
        endpoint=deepgram_listen.listen,
        query=deepgram_listen.ListenParameters,
        body={**_FILES, "application/octet-stream": None},
        answers={
            200: _json(deepgram_listen.Listened),
            **_refusals(DeepgramErrorAnswer, 400, 401, 403, 404, 408, 413, 415, 500, 503, 504),
        },
        dialect="deepgram",
    ),
    Operation(
        path="/v1/auth/grant",
        method="POST",
        endpoint=deepgram_grant.grant,
        body=_json(deepgram_grant.GrantRequest),
        needs_body=False,
        answers={
            200: _json(deepgram_grant.Grant),
            **_refusals(DeepgramErrorAnswer, 400, 401, 403, 408, 413, 503),
        },
        dialect="deepgram",
    ),
    Operation(
        path="/v3/token",
        endpoint=assemblyai_token.token,
        query=assemblyai_token.TokenQuery,
        answers={
            200: _json(assemblyai_token.IssuedToken),
            **_refusals(AssemblyAIErrorAnswer, 400, 401, 403, 503),
        },
        dialect="assemblyai",
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


def operations(dialects: Collection[AddedDialect]) -> list[Operation]:
    """Those that are served.

    Args:
        dialects: `server.dialects` of the configuration.
    """
    return [each for each in OPERATIONS if each.dialect is None or each.dialect in dialects]
