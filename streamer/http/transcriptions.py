"""`POST /v1/audio/transcriptions` and `/v1/audio/translations`, in the shape of OpenAI's.

https://platform.openai.com/docs/api-reference/audio. The many programs that speak it need only
another base address.
"""

import functools
import logging
from collections.abc import AsyncGenerator

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.access.error_responses import openai_error
from streamer.config.explain import show
from streamer.config.key_terms import MAX_KEY_TERMS
from streamer.http.curl_hints import FORM_FILE
from streamer.http.multipart import FormError, FormReader, ReceivedForm, read_form
from streamer.http.openai_answers import (
    LogprobsOfText,
    TextDelta,
    TextDone,
    Transcription,
    Usage,
    VerboseTranscription,
    timed,
    words_of,
)
from streamer.http.openai_fields import Form
from streamer.http.openai_form import is_field, read_fields, vad_options
from streamer.http.openai_languages import Task, check_languages
from streamer.http.openai_models import served_name
from streamer.http.opened_recording import RecordingPlan, fits_whole, open_recording
from streamer.http.prompts import key_terms_of
from streamer.http.recording_request import RecordingRequest, handle, tasks_of
from streamer.http.recordings import (
    RecordingWarning,
    damage,
    refusal_for_failed_segment,
    run_to_end,
    stream_into,
)
from streamer.http.refusals import Refused
from streamer.http.render import RENDERED_MEDIA_TYPES, RENDERERS, TIMED_FORMATS, output_text
from streamer.http.sse import Emit, EventStream
from streamer.http.uploads import media_type, receive
from streamer.inference.pool import WorkerPool
from streamer.pipeline.outbox import Outbox
from streamer.protocol.events import ErrorEvent, Segment, Stopped, WarningEvent
from streamer.recordings.errors import AudioFileError
from streamer.recordings.recording import Recording
from streamer.recordings.threads import in_thread

FILE = "file"
"""Name of the part that is the recording."""

_log = logging.getLogger(__name__)


async def transcribe(request: Request) -> Response:
    """Transcribe a recording, as OpenAI's endpoint of this name does."""
    return await handle(request, functools.partial(_answer, "transcribe"), _refuse, "openai")


async def translate(request: Request) -> Response:
    """Transcribe English speech, as OpenAI's endpoint that translates into English does."""
    return await handle(request, functools.partial(_answer, "translate"), _refuse, "openai")


def _refuse(refused: Refused) -> Response:
    # OpenAI answers a file that is none with 400.
    status = 400 if refused.status == 415 else refused.status
    return JSONResponse(_error_event(refused), status, headers=refused.headers)


def _error_event(refused: Refused) -> dict[str, object]:
    return openai_error(refused.status, refused.code, refused.message, refused.field)


class _Work(msgspec.Struct, frozen=True):
    """What one request is about to do."""

    form: Form
    task: Task
    language: str
    """Of the text, as the answer names it."""
    recording: Recording
    plan: RecordingPlan
    warnings: list[RecordingWarning]


async def _answer(endpoint: Task, request: RecordingRequest) -> Response:
    work = await _prepare(endpoint, request)
    if work.form.stream:
        return EventStream(request, functools.partial(_stream, request, work), _error_event)
    async with tasks_of(request.http) as tasks:
        result = (await run_to_end(request, work.recording, work.plan, tasks)).complete()
    if work.form.response_format in RENDERERS:
        text = await in_thread(RENDERERS[work.form.response_format], result.segments, 1)
        return Response(text, media_type=RENDERED_MEDIA_TYPES[work.form.response_format])
    transcript = " ".join(filter(None, map(output_text, result.segments)))
    usage = Usage(result.seconds)
    warnings = [*work.warnings, *result.warnings]
    logprobs = LogprobsOfText(requested=work.form.asks_for_logprobs and work.plan.words)
    for segment in result.segments:
        logprobs.add(segment)
    answer: Transcription | VerboseTranscription = Transcription(
        transcript, usage, warnings, logprobs.all
    )
    if work.form.response_format == "verbose_json":
        segments = [timed(index, segment) for index, segment in enumerate(result.segments)]
        answer = VerboseTranscription(
            work.task,
            work.language,
            result.seconds,
            transcript,
            segments,
            usage,
            result.account,
            warnings,
            [each for segment in result.segments for each in words_of(segment)]
            if work.form.asks_for_words and work.plan.words
            else None,
        )
    return Response(msgspec.json.encode(answer), media_type="application/json")


async def _prepare(endpoint: Task, request: RecordingRequest) -> _Work:
    received = await _receive_form(request)
    request.resources.callback(received.file.close)
    form, ignored = read_fields(received.fields)
    pool = request.pool(served_name(form.model, request.services.pools.names))
    translates = form.translate or "translate" in (endpoint, form.task)
    task: Task = "translate" if translates else "transcribe"
    language = check_languages(form, task, pool)
    asked = form.asks_for_words or form.asks_for_logprobs
    words = pool.returns_words and (asked or form.response_format in TIMED_FORMATS)
    terms, without_effect = _key_terms(form, pool)
    plan = RecordingPlan(pool, vad_options(form, request.services.config.vad), words, terms)
    messages = [*(field.message for field in ignored), *without_effect, *form.without_place]
    warnings = [RecordingWarning(code="ignored_field", message=text) for text in messages]
    if asked and not words:
        warnings.append(RecordingWarning(code="no_words", message=_without_words(form, pool)))
    recording = await _open(request, received, plan)
    if not form.vad_filter and form.chunking_strategy is None:
        if fits_whole(request, recording, pool):
            plan = plan._replace(vad=None)
        else:
            text = "'vad_filter' was ignored: the recording is too long to be processed as a whole"
            warnings.append(RecordingWarning(code="ignored_field", message=text))
    for warning in warnings:
        _log.info("request %s: %s", request.id, warning.message)
    return _Work(form, task, language, recording, plan, warnings)


def _without_words(form: Form, pool: WorkerPool) -> str:
    lacking = "times of words: the answer has those of segments"
    if not form.asks_for_words:
        lacking = "log probabilities: the answer has none"
    return f"the model {pool.spec.name} gives no {lacking}"


def _key_terms(form: Form, pool: WorkerPool) -> tuple[tuple[str, ...], list[str]]:
    """The key terms of a form, and a sentence if its prompt has no effect."""
    if not form.prompt:
        return form.keyterms, []
    if not pool.uses_key_terms:
        text = f"'prompt' was ignored: the model {pool.spec.name} makes no use of it"
        return form.keyterms, [text]
    named = key_terms_of(form.prompt)
    if not named:
        text = "'prompt' was ignored: only names and unusual words in it count, and it has none"
        return form.keyterms, [text]
    return (*form.keyterms, *named)[:MAX_KEY_TERMS], []


async def _open(
    request: RecordingRequest, received: ReceivedForm, plan: RecordingPlan
) -> Recording:
    try:
        return await open_recording(request, received.file, None, plan, mix=True)
    except AudioFileError as error:
        # Without its @, curl sends the name of a file as text.
        hint = "" if received.file_is_named else f"; {FORM_FILE}"
        raise Refused(400, error.code, f"{error}{hint}", field=FILE) from error


async def _stream(request: RecordingRequest, work: _Work, emit: Emit) -> None:
    """Send each segment's text when it is there, and all of it at the end."""
    outbox = Outbox(request.services.monitor)
    texts: list[str] = []
    logprobs = LogprobsOfText(requested=work.form.asks_for_logprobs and work.plan.words)
    warnings = [*work.warnings]
    async with tasks_of(request.http) as tasks:
        tasks.create_task(stream_into(request, work.recording, work.plan, tasks, outbox))
        while True:
            match await outbox.get():
                case Segment() as segment:
                    text = output_text(segment)
                    if text:
                        delta = f" {text}" if texts else text
                        await emit(TextDelta(delta, logprobs.add(segment)))
                        texts.append(text)
                case ErrorEvent() as failure:
                    raise refusal_for_failed_segment(failure)
                case WarningEvent() as warning:
                    warnings.append(RecordingWarning(code=warning.code, message=warning.message))
                case Stopped(audio_seconds=seconds):
                    warnings += damage(work.recording)
                    await emit(TextDone(" ".join(texts), Usage(seconds), warnings, logprobs.all))
                    return
                case _:
                    pass


async def _receive_form(request: RecordingRequest) -> ReceivedForm:
    """The recording and the rest; a long recording is on disk, as with the other requests."""
    given_type = media_type(request.http)
    if given_type != "multipart/form-data":
        text = f"Content-Type is {show(given_type)}; allowed: multipart/form-data; {FORM_FILE}"
        raise Refused(415, "unsupported_media_type", text)

    async def body() -> AsyncGenerator[bytes, None]:
        async for chunk in receive(request.http, request.services.config.limits):
            yield chunk

    try:
        reader = FormReader(request.http.headers["content-type"], FILE, is_field)
        return await read_form(body(), reader)
    except FormError as error:
        raise Refused(400, "bad_request", str(error), field=error.field) from None
