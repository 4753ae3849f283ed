"""The bodies of answers in JSON, as the description of the HTTP interface shows them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamer.access.error_responses import OpenAIError
from streamer.protocol.codes import RequestErrorCode


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

    error: OpenAIError


class DeepgramErrorAnswer(msgspec.Struct, frozen=True):
    """A request that got no result, as Deepgram's clients expect it."""

    err_code: str
    err_msg: str
    request_id: str


class AssemblyAIErrorAnswer(msgspec.Struct, frozen=True):
    """A request that got no result, as AssemblyAI's clients expect it."""

    error: str


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
    """A model, in OpenAI's words, and the dialects of live streams in which it can be used."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    dialects: list[str]


class ModelList(msgspec.Struct, frozen=True):
    """All models, in OpenAI's words."""

    object: Literal["list"]
    data: list[ListedModel]
