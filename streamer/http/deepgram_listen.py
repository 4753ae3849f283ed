"""`POST /v1/listen`: a recording as the body, settings in the query, in the shape of Deepgram's.

https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from streamer.access.deepgram_errors import deepgram_error, new_request_id, request_id_of
from streamer.audio.format import AudioFormat
from streamer.http.curl_hints import BINARY_BODY, was_sent_with_d
from streamer.http.deepgram_answers import (
    MODEL_UUID,
    NO_SHA256,
    Alternative,
    ModelInfo,
    Transcribed,
    Word,
    alternative,
    model_info,
)
from streamer.http.deepgram_query import ListenQuery, QueryRefused, ServedModel, served_models
from streamer.http.opened_recording import RecordingPlan, open_recording
from streamer.http.recording_request import RecordingRequest, handle, tasks_of
from streamer.http.recordings import RecordingResult, run_to_end
from streamer.http.refusals import Refused
from streamer.http.render import text_of
from streamer.http.spoken_words import GivenWord, confidence_of, mean_confidence, spoken_words
from streamer.http.uploads import media_type, spool
from streamer.protocol.events import Segment
from streamer.protocol.requests import VadOptions
from streamer.recordings.containers import HEAD_BYTES, kind_of
from streamer.recordings.errors import AudioFileError
from streamer.recordings.threads import in_thread

_log = logging.getLogger(__name__)


class ListenParameters(msgspec.Struct, frozen=True):
    """Options with an effect; others are ignored. All of them are text.

    `encoding` is of raw audio: linear16, linear32, mulaw or alaw. A name as `model` that is not one
    of this server's means its first model.
    """

    model: str | None = None
    language: str | None = None
    punctuate: str | None = None
    smart_format: str | None = None
    utterances: str | None = None
    multichannel: str | None = None
    keyterm: str | None = None
    keywords: str | None = None
    encoding: str | None = None
    sample_rate: str | None = None
    channels: str | None = None


class Utterance(msgspec.Struct, frozen=True):
    """A segment of the speech; with `utterances`. Times in seconds."""

    start: float
    end: float
    confidence: float
    channel: int
    transcript: str
    words: list[Word]
    id: str


class ListenResults(msgspec.Struct, frozen=True):
    """What was said on each channel."""

    channels: list[Transcribed]
    utterances: list[Utterance] | UnsetType = UNSET


class ListenMetadata(msgspec.Struct, frozen=True):
    """About the recording; `duration` in seconds."""

    transaction_key: str
    request_id: str
    sha256: str
    created: str
    duration: float
    channels: int
    models: list[str]
    model_info: dict[str, ModelInfo]
    warnings: list[str] | UnsetType = UNSET


class Listened(msgspec.Struct, frozen=True):
    """The answer."""

    metadata: ListenMetadata
    results: ListenResults


async def listen(request: Request) -> Response:
    """Transcribe a recording, as Deepgram's endpoint of this name does."""
    return await handle(request, _answer, _refuse, "deepgram")


def _refuse(refused: Refused) -> Response:
    return deepgram_error(refused.status, refused.message, new_request_id(), refused.headers)


async def _answer(request: RecordingRequest) -> Response:
    given_type = media_type(request.http)
    if given_type in ("application/json", "multipart/form-data"):
        text = (
            "allowed: the recording itself as the body; addresses and forms are not read; "
            f"{BINARY_BODY}"
        )
        raise Refused(400, "bad_request", f"Content-Type is {given_type}; {text}")
    try:
        models = served_models(request.services.pools)
        query = ListenQuery(request.http.query_params.multi_items(), models)
    except QueryRefused as error:
        raise Refused(400, "bad_request", error.message, field=error.field) from None
    if query.ignored:
        _log.info("request %s: ignored: %s", request.id, ", ".join(query.ignored)[:200])
    pool = request.pool(query.model.name)
    plan = RecordingPlan(pool, VadOptions(), pool.returns_words, query.key_terms)
    file = await spool(request.http, request.services.config.limits)
    request.resources.callback(file.close)
    fmt = await in_thread(_raw_format, file, query)
    mix = not query.true("multichannel")
    sent_with_d = await in_thread(was_sent_with_d, given_type, file)
    try:
        recording = await open_recording(request, file, fmt, plan, mix=mix)
    except AudioFileError as error:
        hint = f"; {BINARY_BODY}, not -d" if sent_with_d else ""
        raise AudioFileError(f"{error}{hint}", error.code) from None
    async with tasks_of(request.http) as tasks:
        result = (await run_to_end(request, recording, plan, tasks)).complete()
    answer = Listened(
        _metadata(request, query.model, recording.channels, result),
        _results(result, recording.channels, query),
    )
    headers = {"dg-request-id": answer.metadata.request_id}
    return Response(msgspec.json.encode(answer), headers=headers, media_type="application/json")


def _raw_format(file: BinaryIO, query: ListenQuery) -> AudioFormat | None:
    """The format of raw audio; None for a file, also when the query calls it raw."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return None if kind_of(head) is not None else query.format


def _metadata(
    request: RecordingRequest, model: ServedModel, channels: int, result: RecordingResult
) -> ListenMetadata:
    return ListenMetadata(
        transaction_key="deprecated",
        request_id=request_id_of(request.id),
        sha256=NO_SHA256,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        duration=round(result.seconds, 3),
        channels=channels,
        models=[MODEL_UUID],
        model_info={MODEL_UUID: model_info(model)},
        warnings=[warning.message for warning in result.warnings] or UNSET,
    )


def _results(result: RecordingResult, channels: int, query: ListenQuery) -> ListenResults:
    by_channel: dict[int, list[Segment]] = defaultdict(list)
    for segment in result.segments:
        by_channel[segment.channel].append(segment)
    return ListenResults(
        [
            Transcribed([_whole(by_channel[channel], punctuated=query.punctuated)])
            for channel in range(channels)
        ],
        [*_utterances(result.segments, punctuated=query.punctuated)]
        if query.true("utterances")
        else UNSET,
    )


def _whole(segments: Sequence[Segment], *, punctuated: bool) -> Alternative:
    """All of a channel as one transcript."""
    texts = [text for segment in segments if (text := text_of(segment.output))]
    words = [word for segment in segments for word in _words(segment)]
    confidence = mean_confidence([confidence_of(each.output) for each in segments])
    return alternative(" ".join(texts), confidence, words, punctuated=punctuated)


def _utterances(segments: Iterable[Segment], *, punctuated: bool) -> Iterable[Utterance]:
    for segment in segments:
        text = text_of(segment.output)
        if not text:
            continue
        confidence = confidence_of(segment.output)
        said = alternative(text, confidence, _words(segment), punctuated=punctuated)
        yield Utterance(
            round(segment.start_time, 3),
            round(segment.end_time, 3),
            said.confidence,
            segment.channel,
            said.transcript,
            said.words,
            new_request_id(),
        )


def _words(segment: Segment) -> list[GivenWord]:
    text = text_of(segment.output)
    return spoken_words(segment.output, text, segment.start_time, segment.end_time)
