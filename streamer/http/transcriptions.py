"""`POST /v1/audio/transcriptions` and `GET /v1/models`, in the shape of OpenAI's.

https://platform.openai.com/docs/api-reference/audio/createTranscription. The many tools that speak
it need only another base address. What this server cannot do is refused by name; what makes no
difference here (`prompt`, `temperature`) is accepted.
"""

import functools
from collections.abc import AsyncGenerator
from typing import Annotated, BinaryIO, Literal

import msgspec
from msgspec import Meta
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.audio.files import Recording
from streamer.config.explain import show
from streamer.http.parameters import read_parameters
from streamer.http.recording_request import RecordingRequest, handle, tasks_of
from streamer.http.recordings import (
    RecordingPlan,
    open_recording,
    refusal_for_failed_segment,
    run_to_end,
    stream_into,
)
from streamer.http.refusals import Refused
from streamer.http.render import RENDERED_MEDIA_TYPES, RENDERERS, output_text
from streamer.http.sse import Emit, EventStream
from streamer.http.uploads import media_type, receive
from streamer.models.registry import language_names
from streamer.pipeline.outbox import Outbox
from streamer.protocol.messages import ChannelSeconds, ErrorEvent, Segment, Stopped, VadOptions

OPENAI_MODEL_NAMES = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
"""OpenAI's own names mean the first model: many tools have one built in."""

MAX_FIELDS = 32


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of the form beside `file`."""

    model: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    stream: bool = False
    language: str | None = None
    prompt: str | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] = 0.0
    timestamp_granularities: list[Literal["segment"]] = []
    chunking_strategy: Literal["auto"] | None = None


class Usage(msgspec.Struct, frozen=True):
    """What a request is measured by: the seconds of its audio."""

    seconds: float
    type: Literal["duration"] = "duration"


class Transcription(msgspec.Struct, frozen=True):
    """`response_format=json`."""

    text: str
    usage: Usage


class TimedSegment(msgspec.Struct, frozen=True):
    """A segment of `verbose_json`. Times in seconds; what only Whisper knows is neutral."""

    id: int
    start: float
    end: float
    text: str
    seek: int = 0
    tokens: list[int] = []
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0


class VerboseTranscription(msgspec.Struct, frozen=True):
    """`response_format=verbose_json`."""

    language: str
    duration: float
    text: str
    segments: list[TimedSegment]
    usage: Usage
    seconds: list[ChannelSeconds]
    task: Literal["transcribe"] = "transcribe"


class TextDelta(msgspec.Struct, frozen=True, tag="transcript.text.delta"):
    """With `stream`: what one segment adds."""

    delta: str


class TextDone(msgspec.Struct, frozen=True, tag="transcript.text.done"):
    """With `stream`: all of it, as the last event."""

    text: str
    usage: Usage


class OpenAIError(msgspec.Struct, frozen=True):
    """An error as OpenAI's clients expect it."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str


async def transcribe(request: Request) -> Response:
    """Transcribe a recording, as OpenAI's endpoint of this name does."""
    return await handle(request, _transcribe, _refuse)


async def models(request: Request) -> Response:
    """List the models, as OpenAI's endpoint of this name does."""
    names = request.app.state.services.pools.names
    return JSONResponse({"object": "list", "data": [_model(name) for name in names]})


async def model(request: Request) -> Response:
    """Describe one model, as OpenAI's endpoint of this name does."""
    names = request.app.state.services.pools.names
    name = request.path_params["model"]
    if not name:  # the address of all of them, with a slash at its end
        return await models(request)
    if name in names:
        return JSONResponse(_model(name))
    message = f"'model' is {show(name)}; allowed: {', '.join(names)}"
    return _refuse(Refused(404, "unknown_model", message, field="model"))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "streamer"}


def _refuse(refused: Refused) -> Response:
    # OpenAI answers a file that is none with 400.
    status = 400 if refused.status == 415 else refused.status
    return JSONResponse({"error": _error(refused)}, status, headers=refused.headers)


def _error(refused: Refused) -> dict[str, object]:
    kind: Literal["invalid_request_error", "server_error"] = (
        "invalid_request_error" if refused.status < 500 else "server_error"
    )
    error = OpenAIError(refused.message, kind, refused.field, refused.code)
    as_dict: dict[str, object] = msgspec.to_builtins(error)
    return as_dict


async def _transcribe(request: RecordingRequest) -> Response:
    file, form = await _read_form(request)
    pool = request.pool(None if form.model in OPENAI_MODEL_NAMES else form.model)
    _check_language(form.language, pool.spec.type)
    plan = RecordingPlan(pool, VadOptions())
    recording = await open_recording(request, file, None, plan, mix=True)
    if form.stream:
        return EventStream(
            request, functools.partial(_stream, request, recording, plan), _error_event
        )
    async with tasks_of(request.http) as tasks:
        result = (await run_to_end(request, recording, plan, tasks)).complete()
    if form.response_format in RENDERERS:
        text = RENDERERS[form.response_format](result.segments, 1)
        return Response(text, media_type=RENDERED_MEDIA_TYPES[form.response_format])
    transcript = " ".join(filter(None, map(output_text, result.segments)))
    usage = Usage(result.seconds)
    answer: Transcription | VerboseTranscription = Transcription(transcript, usage)
    if form.response_format == "verbose_json":
        language = form.language or (language_names(pool.spec.type) or ("unknown",))[-1]
        segments = [_timed(index, segment) for index, segment in enumerate(result.segments)]
        answer = VerboseTranscription(
            language, result.seconds, transcript, segments, usage, result.account
        )
    return Response(msgspec.json.encode(answer), media_type="application/json")


async def _stream(
    request: RecordingRequest, recording: Recording, plan: RecordingPlan, emit: Emit
) -> None:
    """Send each segment's text when it is there, and all of it at the end."""
    outbox = Outbox(request.services.monitor)
    texts: list[str] = []
    async with tasks_of(request.http) as tasks:
        tasks.create_task(stream_into(request, recording, plan, tasks, outbox))
        while True:
            match await outbox.get():
                case Segment() as segment:
                    text = output_text(segment)
                    if text:
                        await emit(TextDelta(f" {text}" if texts else text))
                        texts.append(text)
                case ErrorEvent() as failure:
                    raise refusal_for_failed_segment(failure)
                case Stopped(audio_seconds=seconds):
                    await emit(TextDone(" ".join(texts), Usage(seconds)))
                    return
                case _:
                    pass


def _error_event(refused: Refused) -> dict[str, object]:
    return {"error": _error(refused)}


def _timed(index: int, segment: Segment) -> TimedSegment:
    start, end = segment.start_time, segment.end_time
    return TimedSegment(index, start, end, output_text(segment), seek=round(start * 100))


def _check_language(language: str | None, model_type: str) -> None:
    names = language_names(model_type)
    if language is not None and names and language.lower() not in names:
        text = f"'language' is {show(language)}; allowed with this model: {names[0]}"
        raise Refused(400, "bad_request", text, field="language")


class _FormParser(MultiPartParser):
    """Starlette's, which keeps a long file on disk; it would not mind a form that is cut off."""

    complete = False

    def on_end(self) -> None:
        self.complete = True


async def _read_form(request: RecordingRequest) -> tuple[BinaryIO, Form]:
    """The recording and the rest; a long recording is on disk, as with the other requests."""
    given_type = media_type(request.http)
    if given_type != "multipart/form-data":
        text = f"Content-Type is {show(given_type)}; allowed: multipart/form-data"
        raise Refused(415, "unsupported_media_type", text)

    async def body() -> AsyncGenerator[bytes, None]:
        async for chunk in receive(request.http, request.services.config.limits):
            yield chunk
        if not parser.complete:
            raise MultiPartException("its end is missing")

    parser = _FormParser(request.http.headers, body(), max_files=1, max_fields=MAX_FIELDS)
    try:
        parts = await parser.parse()
    except MultiPartException as error:
        raise Refused(400, "bad_request", f"the form cannot be read: {error.message}") from None
    files = [(name, part) for name, part in parts.multi_items() if isinstance(part, UploadFile)]
    for _, upload in files:
        request.resources.callback(upload.file.close)
    texts = [(name, part) for name, part in parts.multi_items() if isinstance(part, str)]
    if "file" in (name for name, _ in texts):
        raise Refused(400, "bad_request", "'file' is text; it has to be a file", field="file")
    form = read_parameters(texts, Form)
    if [name for name, _ in files] != ["file"]:
        what = f"is called {show(files[0][0])}" if files else "is missing"
        raise Refused(400, "bad_request", f"the file {what}; it has to be 'file'", field="file")
    return files[0][1].file, form
