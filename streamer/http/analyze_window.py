"""`POST /analyze_pcm_s16le`: a bounded microphone window in, one score out."""

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from streamer.audio.format import AudioFormat
from streamer.config.explain import show
from streamer.http.opened_recording import RecordingPlan, open_recording
from streamer.http.parameters import read_parameters
from streamer.http.recording_request import RecordingRequest, handle, tasks_of
from streamer.http.recordings import run_to_end
from streamer.http.refusals import Refused, refuse
from streamer.http.uploads import media_type, spool

FORMAT = AudioFormat(16_000)
"""Mono, 16-bit little-endian integers."""

MIN_SECONDS = 0.25
"""Less holds no judgement."""

MEDIA_TYPE = "application/octet-stream"


class WindowQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `/analyze_pcm_s16le` can be asked for."""

    model: str | None = None


class Score(msgspec.Struct, frozen=True):
    """What the model made of the window; its output is among the fields.

    Scores of affect are what listeners would perceive, as a model estimates it, and not facts.
    """

    ok: Literal[True]
    model: str
    sample_rate: int
    duration_seconds: float
    inference_ms: float
    total_ms: float


async def analyze_window(request: Request) -> Response:
    """Score raw 16 kHz mono 16-bit little-endian PCM as a whole, without a VAD."""
    return await handle(request, _analyze, refuse)


async def _analyze(request: RecordingRequest) -> Response:
    query = read_parameters(request.http.query_params.multi_items(), WindowQuery)
    given_type = media_type(request.http)
    if given_type != MEDIA_TYPE:
        text = f"Content-Type is {show(given_type)}; allowed: {MEDIA_TYPE}"
        raise Refused(415, "unsupported_media_type", text)
    pool = request.pool(query.model)
    file = await spool(request.http, request.services.config.limits)
    request.resources.callback(file.close)
    plan = RecordingPlan(pool, None)
    recording = await open_recording(request, file, FORMAT, plan, mix=False)
    seconds = recording.declared_s or 0.0
    if seconds < MIN_SECONDS:
        text = f"the window has {seconds:g} s; allowed: at least {MIN_SECONDS:g} s"
        raise Refused(400, "too_short", text)
    async with tasks_of(request.http) as tasks:
        result = (await run_to_end(request, recording, plan, tasks)).complete()
    score = Score(
        ok=True,
        model=pool.spec.name,
        sample_rate=FORMAT.sample_rate,
        duration_seconds=result.seconds,
        inference_ms=round(result.inference_seconds * 1000, 3),
        total_ms=round(request.elapsed_ms, 3),
    )
    (segment,) = result.segments
    # As in the events of the sockets, a model cannot overwrite what clients rely on.
    body = {**segment.output, **msgspec.to_builtins(score)}
    return Response(msgspec.json.encode(body), media_type="application/json")
