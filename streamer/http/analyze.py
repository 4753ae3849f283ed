"""`POST /api/v1/analyze`: a whole recording in, the segments of `/api/v1/segmented` out."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from streamer.audio.format import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, AudioFormat
from streamer.config.explain import show
from streamer.config.key_terms import KeyTerms
from streamer.http.curl_hints import BINARY_BODY, SURE_BYTES, URL_ENCODED, was_sent_with_d
from streamer.http.opened_recording import RecordingPlan, open_recording
from streamer.http.parameters import read_parameters
from streamer.http.recording_request import RecordingRequest, handle, tasks_of
from streamer.http.recordings import (
    RecordingResult,
    RecordingWarning,
    refusal_for_failed_segment,
    run_to_end,
)
from streamer.http.refusals import Refused, refuse
from streamer.http.render import RENDERED_MEDIA_TYPES, RENDERERS, TIMED_FORMATS
from streamer.http.uploads import media_type, spool
from streamer.protocol.events import ChannelSeconds, ErrorEvent, merge
from streamer.protocol.requests import VadOptions
from streamer.recordings.errors import AudioFileError
from streamer.recordings.threads import in_thread

AUDIO_TYPES = {
    "WAV": ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
    "FLAC": ("audio/flac", "audio/x-flac"),
    "OGG": ("audio/ogg", "application/ogg", "audio/opus", "audio/vorbis", "audio/x-vorbis+ogg"),
    "MP3": ("audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mpeg"),
    "AIFF": ("audio/aiff", "audio/x-aiff"),
    "MP4": (
        "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/mp4a-latm", "audio/aac", "audio/x-aac",
        "audio/3gpp", "audio/3gpp2", "video/mp4", "video/x-m4v", "video/quicktime", "video/3gpp",
        "video/3gpp2",
    ),
    "WebM": ("audio/webm", "video/webm", "audio/x-matroska", "video/x-matroska"),
    "AAC": ("audio/aac", "audio/x-aac", "audio/aacp", "audio/x-hx-aac-adts"),
    "LATM": ("audio/aac", "audio/x-aac", "audio/mp4a-latm"),
    "AMR": ("audio/amr", "audio/amr-wb", "audio/3gpp"),
    "CAF": ("audio/x-caf", "audio/caf"),
    "AU": ("audio/basic", "audio/au", "audio/x-au"),
    "WMA": ("audio/x-ms-wma", "audio/x-ms-asf", "video/x-ms-asf", "video/x-ms-wmv"),
    "AC-3": ("audio/ac3", "audio/x-ac3", "audio/vnd.dolby.dd-raw"),
    "E-AC-3": ("audio/eac3", "audio/x-eac3"),
}  # fmt: skip
"""Accepted Content-Types by container."""

PCM_TYPES = ("audio/pcm", "audio/x-pcm", "audio/raw", "audio/x-raw", "audio/basic")

UNSPECIFIC = ("", "application/octet-stream", URL_ENCODED, "audio/*")
"""Content-Types that carry no information; curl's default is among them."""


class Query(VadOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `/api/v1/analyze` can be asked for. The VAD's settings are those of a `start`.

    With `sample_rate`, the body is raw PCM; the fields after it describe its format.
    """

    model: str | None = None
    channels: Literal["split", "mix"] = "split"
    vad: bool = True
    words: bool = False
    keyterms: KeyTerms = ()
    format: Literal["json", "text", "srt", "vtt"] = "json"
    sample_rate: Annotated[int, Meta(ge=MIN_SAMPLE_RATE, le=MAX_SAMPLE_RATE)] | None = None
    channel_count: Annotated[int, Meta(ge=1)] | None = None
    bit_depth: Annotated[int, Meta(ge=8, le=64)] | None = None
    is_float: bool | None = None
    encoding: Literal["pcm", "mulaw", "alaw"] | None = None


FoundSegment = Annotated[
    dict[str, object],
    Meta(
        title="Segment",
        description="As on the sockets: the model's output is among the fields. Scores of affect "
        "are what listeners would perceive, as a model estimates it, and not facts.",
        extra_json_schema={
            "properties": {
                "type": {"const": "segment"},
                "start_time": {"type": "number", "minimum": 0},
                "end_time": {"type": "number", "minimum": 0},
                "is_final": {"const": True},
                "channel": {"type": "integer", "minimum": 0},
                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                "words": {
                    "type": "array",
                    "description": "With words=true, from a model that has their times.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "text": {"type": "string"},
                            "start_time": {"type": "number", "minimum": 0},
                            "end_time": {"type": "number", "minimum": 0},
                            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                        },
                        "required": ["text", "start_time", "end_time", "confidence"],
                    },
                },
            },
            "required": ["type", "start_time", "end_time", "is_final", "channel"],
        },
    ),
]


class Analysis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found. Times in seconds from the start; `errors` are segments without a result.

    `seconds` is where the audio of each channel went.
    """

    model: str
    sample_rate: int
    duration_seconds: float
    inference_ms: float
    total_ms: float
    segments: list[FoundSegment]
    seconds: list[ChannelSeconds]
    errors: list[ErrorEvent] = []
    warnings: list[RecordingWarning] = []


async def analyze(request: Request) -> Response:
    """Analyze a recording: the segments of its speech, or with `vad=false` the whole at once."""
    return await handle(request, _analyze, refuse)


async def _analyze(request: RecordingRequest) -> Response:
    query = read_parameters(request.http.query_params.multi_items(), Query)
    fmt = _raw_format(query)
    allowed = (*UNSPECIFIC, *PCM_TYPES) if fmt else (*UNSPECIFIC, *sum(AUDIO_TYPES.values(), ()))
    given_type = media_type(request.http)
    if given_type not in allowed:
        raise Refused(415, "unsupported_media_type", _wrong_type(given_type, allowed))
    pool = request.pool(query.model)
    vad = VadOptions(**{name: getattr(query, name) for name in VadOptions.__struct_fields__})
    if problem := vad.over(request.services.config.vad).problem():
        raise Refused(400, "bad_request", problem)
    file = await spool(request.http, request.services.config.limits)
    request.resources.callback(file.close)
    sent_with_d = await in_thread(was_sent_with_d, given_type, file)
    linear = fmt is not None and fmt.encoding == "pcm" and fmt.bit_depth > 8
    if linear and await in_thread(was_sent_with_d, given_type, file, SURE_BYTES):
        # Half of these have whole frames, and would be noise.
        text = f"the body is not complete: no byte of it is 0, 10 or 13; {BINARY_BODY}, not -d"
        raise Refused(400, "bad_audio", text)
    words = query.words or (query.format in TIMED_FORMATS and pool.returns_words)
    plan = RecordingPlan(pool, vad if query.vad else None, words, query.keyterms)
    try:
        recording = await open_recording(request, file, fmt, plan, mix=query.channels == "mix")
    except AudioFileError as error:
        unknown = error.code == "unsupported_media_type"
        raw = ", or raw PCM with its format in the query" if unknown else ""
        hint = f"; {BINARY_BODY}, not -d" if sent_with_d else ""
        raise AudioFileError(f"{error}{raw}{hint}", error.code) from None
    if fmt is None:
        _check_label(given_type, recording.kind)
    async with tasks_of(request.http) as tasks:
        result = await run_to_end(request, recording, plan, tasks)
    if query.format != "json":
        render = RENDERERS[query.format]
        text = await in_thread(render, result.complete().segments, recording.channels)
        return Response(text, media_type=RENDERED_MEDIA_TYPES[query.format])
    return _json(request, pool.spec.name, pool.sample_rate or 0, result)


def _wrong_type(given_type: str, allowed: Sequence[str]) -> str:
    text = f"Content-Type is {show(given_type)}; "
    if given_type == "multipart/form-data":
        return (
            f"{text}the file itself is the body here: {BINARY_BODY}; "
            "forms go to /v1/audio/transcriptions"
        )
    return f"{text}allowed: {', '.join(filter(None, dict.fromkeys(allowed)))}"


def _check_label(given_type: str, kind: str) -> None:
    if given_type not in UNSPECIFIC and given_type not in AUDIO_TYPES[kind]:
        text = f"Content-Type is {show(given_type)}, and the body is a {kind} file"
        raise Refused(415, "unsupported_media_type", text)


def _json(
    request: RecordingRequest, model: str, sample_rate: int, result: RecordingResult
) -> Response:
    if result.failures and not result.segments:
        raise refusal_for_failed_segment(result.failures[0])
    analysis = Analysis(
        model=model,
        sample_rate=sample_rate,
        duration_seconds=result.seconds,
        inference_ms=round(result.inference_seconds * 1000, 3),
        total_ms=round(request.elapsed_ms, 3),
        segments=[merge(segment) for segment in result.segments],
        seconds=result.account,
        errors=result.failures,
        warnings=result.warnings,
    )
    return Response(msgspec.json.encode(analysis), media_type="application/json")


def _raw_format(query: Query) -> AudioFormat | None:
    """The format of raw PCM, if that is what the query describes."""
    if query.sample_rate is None:
        for name in ("channel_count", "bit_depth", "is_float", "encoding"):
            if getattr(query, name) is not None:
                text = f"'{name}' is given without 'sample_rate', which says that the body is raw"
                raise Refused(400, "bad_request", text, field="sample_rate")
        return None
    encoding = query.encoding or "pcm"
    return AudioFormat(
        query.sample_rate,
        1 if query.channel_count is None else query.channel_count,
        (16 if encoding == "pcm" else 8) if query.bit_depth is None else query.bit_depth,
        is_float=bool(query.is_float),
        encoding=encoding,
    )
